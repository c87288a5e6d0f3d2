import type { CampaignRecord, LedgerState, UnknownEntry } from '../../campaign-ledger.js'

/** A script's answer. */
export function toList(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new TypeError('a script must answer a list')
  return reply
}

/** The hash of a campaign. @param version up to which it may be read */
export function toRecord(fields: Readonly<Record<string, string>>, version: number): CampaignRecord {
  const number = (name: string): number => Number(fields[name] ?? 0) || 0
  const text = <Name extends string>(name: Name): { readonly [name in Name]?: string } =>
    fields[name] === undefined ? {} : ({ [name]: fields[name] } as { [name in Name]: string })
  const time = <Name extends string>(name: Name): { readonly [name in Name]?: number } =>
    fields[name] === undefined ? {} : ({ [name]: number(name) } as { [name in Name]: number })
  const isNewer = fields['v'] !== undefined && !(Number(fields['v']) <= version)
  return {
    state: isNewer ? 'newer' : ((fields['state'] ?? 'gone') as LedgerState),
    ...text('settings'),
    ...text('digest'),
    ...text('reason'),
    createdAt: number('createdAt'),
    ...time('startedAt'),
    ...time('endedAt'),
    total: number('total'),
    chunks: number('chunks'),
    accepted: number('accepted'),
    rejected: number('rejected'),
    filtered: number('filtered'),
    unknown: number('unknown'),
    hasAccepted: fields['hasAccepted'] === '1',
  }
}

/** An entry whose outcome is unknown; `undefined` for another. */
export function toUnknown(
  index: number,
  entry: string | null | undefined,
  chunk: string | null | undefined,
): UnknownEntry | undefined {
  const [state, , , size, filtered, at] = (entry ?? '').split(' ')
  if (state !== 'unknown') return undefined
  return {
    index,
    size: Number(size),
    filtered: Number(filtered),
    at: Number(at),
    ...(typeof chunk === 'string' ? { chunk } : {}),
  }
}
