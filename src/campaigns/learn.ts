import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { MessagingEvent } from '../messaging/types/events.js'
import type { Messaging } from '../messaging/types/methods.js'
import type { CampaignLedger, UnknownEntry } from '../store/campaign-ledger.js'
import type { Seal } from './seal.js'

/** What {@link createLearn} is made of. */
export interface LearnParts {
  readonly ledger: CampaignLedger
  readonly seal: Seal
  readonly messaging: Pick<Messaging, 'status'>
  readonly runtime: Pick<MessagingRuntime, 'monotonic'>
}

interface Doubt {
  readonly campaignId: string
  readonly entry: UnknownEntry
}

/** The list of unknown chunks is looked up again after this time. */
const LIST_LASTS_MS = 5_000
const MAX_CAMPAIGNS = 100
const MAX_UNKNOWN = 200
const MAX_JUDGED = 10_000
/** The clocks of a worker and of PCS differ by less than this. */
const CLOCKS_DIFFER_MS = 5 * 60_000
const LONGEST_SEND_MS = 60_000

/**
 * Settles unknown chunks by events. An event about one of its people is not enough, since the app may have sent them something
 * else: the send must be unknown to every campaign, and have as many recipients as the chunk.
 */
export function createLearn({
  ledger,
  seal,
  messaging,
  runtime,
}: LearnParts): (event: MessagingEvent) => Promise<boolean> {
  let doubts = new Map<string, Doubt>()
  let readAtMs = Number.NEGATIVE_INFINITY
  /** Sends that were looked up and settle nothing. */
  const judged = new Set<string>()

  async function refresh(): Promise<void> {
    if (runtime.monotonic() - readAtMs < LIST_LASTS_MS) return
    readAtMs = runtime.monotonic()
    const found = new Map<string, Doubt>()
    for (const campaignId of await ledger.list(MAX_CAMPAIGNS)) {
      for (const entry of await ledger.unknown(campaignId, 0, MAX_UNKNOWN)) {
        const recipients = entry.chunk && (await seal.openChunk(campaignId, entry.index, entry.chunk))
        for (const { ppnum } of recipients || []) found.set(ppnum, { campaignId, entry })
      }
    }
    doubts = found
  }

  async function isItsSend({ entry }: Doubt, { sendRequestId, occurredAt }: MessagingEvent): Promise<boolean> {
    // It cannot have been sent after it was marked unknown, except for the difference of the clocks.
    if (occurredAt.getTime() < entry.at - LONGEST_SEND_MS - 86_400_000 - CLOCKS_DIFFER_MS) return false
    const { total } = await messaging.status(sendRequestId)
    if (total !== entry.size) return false
    for (const id of await ledger.list(MAX_CAMPAIGNS)) if (await ledger.hasSend(id, sendRequestId)) return false
    return true
  }

  return async function learn(event) {
    const { recipient, sendRequestId } = event
    if (recipient === undefined || judged.has(sendRequestId)) return false
    await refresh()
    const doubt = doubts.get(recipient.ppnum)
    if (doubt === undefined) return false
    if (!(await isItsSend(doubt, event))) {
      if (judged.size >= MAX_JUDGED) judged.clear()
      judged.add(sendRequestId)
      return false
    }
    readAtMs = Number.NEGATIVE_INFINITY
    const answer = await ledger.judge(doubt.campaignId, doubt.entry.index, 'sent', sendRequestId)
    return answer === 'settled'
  }
}
