import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { CallRate, CampaignLedger } from '../store/campaign-ledger.js'
import type { CampaignEngine } from './engine.js'
import { type CampaignSettings, openZonesOf } from './settings.js'

/** What {@link feed} needs. */
export interface FeedParts {
  readonly ledger: CampaignLedger
  readonly engine: CampaignEngine
  readonly settingsOf: (id: string) => Promise<CampaignSettings | undefined>
  readonly rate: CallRate
  readonly runtime: Pick<MessagingRuntime, 'now'>
  /** The concurrency of all live workers. */
  readonly capacity: number
}

/** Chunks offered for each one that workers can handle at a time. */
const AHEAD = 4
/** Offer enough chunks for this long at the current rate. */
const AHEAD_MS = 3_000

/**
 * Offers the first planned chunks of each active campaign to the engine, and cleans up after dead workers. It keeps no
 * state, so any worker can do it next.
 */
export async function feed({ ledger, engine, settingsOf, rate, runtime, capacity }: FeedParts): Promise<void> {
  const [ids, rest] = await Promise.all([ledger.active(), ledger.rests()])
  const most = rest === undefined ? AHEAD * capacity + Math.ceil(AHEAD_MS / rate.intervalMs) : 0
  for (const campaignId of ids) {
    const settings = await settingsOf(campaignId)
    const zones = settings === undefined ? '' : openZonesOf(settings, runtime.now())
    const { indexes } = await ledger.tick(campaignId, zones, Math.ceil(most / ids.length))
    await engine.offer(indexes.map((index) => ({ campaignId, index })))
  }
}
