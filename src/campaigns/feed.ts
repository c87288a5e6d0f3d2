import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { CampaignLedger } from '../store/campaign-ledger.js'
import type { CampaignEngine } from './engine.js'
import { type CampaignSettings, openZonesOf } from './settings.js'

/** What {@link feed} needs. */
export interface FeedParts {
  readonly ledger: CampaignLedger
  readonly engine: CampaignEngine
  readonly settingsOf: (id: string) => Promise<CampaignSettings | undefined>
  readonly intervalMs: number
  readonly runtime: Pick<MessagingRuntime, 'now'>
  /** The concurrency of all live workers. */
  readonly capacity: number
}

/** Chunks on their way for each that can be in hand. */
const AHEAD = 4
/** Enough for this long at the rate there is. */
const AHEAD_MS = 3_000

/**
 * Hands the first planned chunks of each active campaign to the engine, and looks after what dead workers left. It keeps
 * nothing: whoever does it next comes to the same.
 */
export async function feed({ ledger, engine, settingsOf, intervalMs, runtime, capacity }: FeedParts): Promise<void> {
  const [ids, rest] = await Promise.all([ledger.active(), ledger.rests()])
  const most = rest === undefined ? AHEAD * capacity + Math.ceil(AHEAD_MS / intervalMs) : 0
  for (const campaignId of ids) {
    const settings = await settingsOf(campaignId)
    const zones = settings === undefined ? '' : openZonesOf(settings, runtime.now())
    const { indexes } = await ledger.tick(campaignId, zones, Math.ceil(most / ids.length))
    await engine.offer(indexes.map((index) => ({ campaignId, index })))
  }
}
