/* A campaign as the page shows it. */
import type { Campaign, CampaignProgress } from 'express-ppoppo/campaigns'
import type { Texts } from '../texts/texts.js'

/** What one may do with it now. */
export interface CampaignActions {
  readonly id: string
  readonly canPause: boolean
  readonly canResume: boolean
  readonly canCancel: boolean
}

/** A chunk of which nobody knows whether it was sent. Its numbers are not shown. */
export interface UnknownLine {
  readonly index: number
  readonly size: number
  readonly since: Date
}

const MOST_SHOWN = 50
const MINUTE_MS = 60_000

export function actionsOf({ id, state }: CampaignProgress): CampaignActions {
  return {
    id,
    canPause: ['running', 'resting', 'scheduled'].includes(state),
    canResume: ['paused', 'stopped'].includes(state),
    canCancel: !['finished', 'cancelled', 'cancelling'].includes(state),
  }
}

/** One line, which is read aloud whenever it changes: so there are no counts in it. */
export function headlineOf({ state }: CampaignProgress, { campaigns: t }: Texts): string {
  return t.states[state]
}

/** `undefined` unless it is running. */
export function timeLeft(
  { doneAt }: CampaignProgress,
  { campaigns: t }: Texts,
  now: number = Date.now(),
): string | undefined {
  return doneAt && t.minutes(Math.max(1, Math.ceil((doneAt.getTime() - now) / MINUTE_MS)))
}

/** The oldest of them. */
export async function unknownOf(campaign: Campaign): Promise<readonly UnknownLine[]> {
  const lines: UnknownLine[] = []
  for await (const { index, recipients, since } of campaign.unknown()) {
    lines.push({ index, size: recipients.length, since })
    if (lines.length === MOST_SHOWN) break
  }
  return lines
}
