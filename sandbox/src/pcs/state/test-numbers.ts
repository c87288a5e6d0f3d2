/** What becomes of a message to somebody. */
export type Outcome = 'delivered' | 'consent-then-delivered' | 'consent-denied' | 'failed'

/** The numbers Ppoppo documents for its own sandbox; every other well-formed number is delivered. */
export const TEST_NUMBERS: readonly { readonly ppnum: string; readonly outcome: Outcome; readonly label: string }[] = [
  { ppnum: '12300000001', outcome: 'delivered', label: 'delivered' },
  { ppnum: '12300000002', outcome: 'consent-then-delivered', label: 'consent pending, then allowed' },
  { ppnum: '12300000003', outcome: 'consent-denied', label: 'consent denied' },
  { ppnum: '12300000004', outcome: 'failed', label: 'delivery failure' },
]

const BY_PPNUM = new Map(TEST_NUMBERS.map(({ ppnum, outcome }) => [ppnum, outcome]))

export function outcomeFor(ppnum: string): Outcome {
  return BY_PPNUM.get(ppnum) ?? 'delivered'
}

export function isPpnum(text: string): boolean {
  return /^[0-9]{11,}$/.test(text)
}
