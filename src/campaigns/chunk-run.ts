import { isPpoppoError } from '../errors.js'
import { pause } from '../messaging/lib/pause.js'
import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { Messaging, Recipient } from '../messaging/types/methods.js'
import type { CallRate, CampaignLedger, ClaimedChunk, Settlement } from '../store/campaign-ledger.js'
import type { ChunkPointer } from './engine.js'
import { judgeFailure } from './outcome.js'
import type { Seal } from './seal.js'
import { type CampaignSettings, openZonesOf, toReasonText } from './settings.js'
import type { CampaignFilter } from './types.js'

/** What a {@link ChunkRunner} is made of. */
export interface ChunkRunnerParts {
  readonly ledger: CampaignLedger
  readonly seal: Pick<Seal, 'chunk' | 'openChunk'>
  readonly messaging: Pick<Messaging, 'send' | 'health'>
  readonly settingsOf: (id: string) => Promise<CampaignSettings | undefined>
  readonly filters: Readonly<Record<string, CampaignFilter>>
  readonly rate: CallRate
  /** Makes claims that no other worker has. */
  readonly workerId: string
  /** Aborted when nothing more may be begun. */
  readonly closing: AbortSignal
  /** Aborted when sends under way are cut off. */
  readonly cutOff: AbortSignal
  /** Called when the client that sends was closed. */
  readonly onClosed: () => void
  readonly runtime: MessagingRuntime
}

/** A worker does not hold a chunk for longer than this: the chunk is planned again. */
const LONGEST_WAIT_IN_HAND_MS = 2_000
const LONGEST_PAUSE_MS = 1_000
const BUSY_MS = 200
/** Limits how many unsent chunks a worker holds, so that filters are not asked long before the send. */
const HELD_AHEAD_MS = 3_000
/** A call that comes too early by no more keeps its slot: at one call a minute the next slot is a minute away. */
const KEEPS_SLOT_MS = 500
const FILTER_TIMEOUT_MS = 60_000
const SEND_DEADLINE_MS = 20_000
/** A process that was suspended for longer than this between the ledger's answer and its call does not make the call. */
const STALE_GO_MS = 1_000
const SETTLE_RETRY_MS = 250

/** Whether a chunk may be sent. */
interface InHand extends ClaimedChunk {
  readonly settings: CampaignSettings
}

/** Takes chunks from the ledger, sends them, and records their outcome. */
export class ChunkRunner {
  readonly #parts: ChunkRunnerParts
  readonly #maxHeld: number
  #claims = 0
  #isConnected: Promise<unknown> | undefined

  constructor(parts: ChunkRunnerParts) {
    this.#parts = parts
    this.#maxHeld = Math.max(2, Math.ceil(HELD_AHEAD_MS / parts.rate.intervalMs))
  }

  /** Never rejects for what PCS, a filter or Redis does: the ledger has what is to be done then. */
  async run({ campaignId: id, index }: ChunkPointer): Promise<void> {
    const { closing, settingsOf, ledger } = this.#parts
    const settings = await settingsOf(id)
    if (settings === undefined || closing.aborted) return
    // The first call loads gRPC, fetches a token and connects: do that before a chunk is due.
    this.#isConnected ??= this.#parts.messaging.health().catch(() => {})
    await this.#isConnected
    if (!(await this.#untilItsTime(settings))) return
    const chunk: InHand = { id, index, claim: `${this.#parts.workerId}#${++this.#claims}`, settings }
    try {
      const taken = await ledger.take(chunk, this.#openZones(settings), this.#maxHeld)
      if (taken.answer === 'busy') await this.#pause(BUSY_MS)
      if (taken.chunk !== undefined) await this.#send(chunk, taken.chunk)
    } catch {
      // Unknown whether it was claimed; nothing was sent.
      await this.#settle(chunk, planned('store_unavailable'))
    }
  }

  /** Waits until a call may begin soon. @returns whether it is worth taking a chunk */
  async #untilItsTime(settings: CampaignSettings): Promise<boolean> {
    const { ledger, rate, closing } = this.#parts
    while (!closing.aborted && this.#openZones(settings) !== '') {
      const { may, inMs } = await ledger.pace(rate, false)
      if (may === 'slot') return true
      if (may === 'rest' && inMs > LONGEST_WAIT_IN_HAND_MS) return false
      await this.#pause(inMs)
    }
    return false
  }

  async #send(chunk: InHand, sealed: string): Promise<void> {
    const recipients = await this.#parts.seal.openChunk(chunk.id, chunk.index, sealed)
    if (recipients === undefined) {
      const message =
        'A chunk opens with none of the "vaultKeys" of a worker. Give every worker all keys, then resume().'
      await this.#settle(chunk, planned('config_invalid', toReasonText('config_invalid', message)))
      return
    }
    const kept = await this.#filter(chunk, recipients)
    if (kept === undefined) return
    const sizes = { size: kept.length, filtered: recipients.length - kept.length }
    if (kept.length === 0) {
      await this.#settle(chunk, { outcome: 'filtered', word: '', ...sizes })
      return
    }
    if (await this.#mayBegin(chunk, sizes)) await this.#settleSend(chunk, kept, sizes)
  }

  /** @returns who gets the message; `undefined` if the campaign was stopped instead */
  async #filter(chunk: InHand, recipients: readonly Recipient[]): Promise<readonly Recipient[] | undefined> {
    const { filters, closing, runtime } = this.#parts
    const filter = Object.hasOwn(filters, chunk.id) ? filters[chunk.id] : undefined
    if (filter === undefined) return recipients
    const over = new AbortController()
    const cancel = runtime.after(FILTER_TIMEOUT_MS, () => over.abort(new Error('the filter took too long')))
    const signal = AbortSignal.any([closing, over.signal])
    try {
      const kept = await Promise.race([
        (async () => filter(recipients, { campaignId: chunk.id, signal }))(),
        rejectOn(over.signal),
      ])
      const wanted = new Set(kept.map(({ ppnum }) => ppnum))
      return recipients.filter(({ ppnum }) => wanted.has(ppnum))
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error
      const reason = toReasonText(
        'filter_failed',
        `The filter of this campaign failed (${name}); see the log of your app.`,
      )
      await this.#settle(chunk, closing.aborted ? planned('closed') : planned('filter_failed', reason))
      return undefined
    } finally {
      cancel()
    }
  }

  /** Takes a slot, waits for it, and asks the ledger once more. @returns whether to make the call now */
  async #mayBegin(chunk: InHand, sizes: Pick<Settlement, 'size' | 'filtered'>): Promise<boolean> {
    const { ledger, rate, closing, runtime } = this.#parts
    let keptMs: number | undefined
    for (;;) {
      const { may, inMs } = keptMs === undefined ? await ledger.pace(rate, true) : { may: 'slot', inMs: keptMs }
      const isLong = may !== 'slot' && inMs > LONGEST_WAIT_IN_HAND_MS
      if (!isLong) await this.#pause(inMs)
      if (closing.aborted || isLong) {
        await this.#settle(chunk, planned('rest'))
        return false
      }
      if (may !== 'slot') continue
      const askedAtMs = runtime.monotonic()
      const { answer, waitMs } = await ledger.begin(chunk, this.#openZones(chunk.settings), sizes, rate)
      if (answer === 'wait') {
        keptMs = waitMs <= KEEPS_SLOT_MS ? waitMs : undefined
        continue
      }
      if (answer !== 'go') return false
      if (runtime.monotonic() - askedAtMs <= STALE_GO_MS && !closing.aborted) return true
      await this.#settle(chunk, planned('late'))
      return false
    }
  }

  async #settleSend(
    chunk: InHand,
    recipients: readonly Recipient[],
    sizes: Pick<Settlement, 'size' | 'filtered'>,
  ): Promise<void> {
    const { messaging, cutOff } = this.#parts
    const { templateId, poll } = chunk.settings
    try {
      const request = { templateId, recipients, ...(poll === undefined ? {} : { poll }) }
      // All workers rest when PCS asks to wait, and a retry takes a slot of the pace.
      const options = { signal: cutOff, deadlineMs: SEND_DEADLINE_MS, rateLimit: 'fail' } as const
      const { id } = await messaging.send(request, options)
      // Entries of the ledger are separated by spaces.
      const word = /^[\x21-\x7e]{1,200}$/.test(id) ? id : 'unreadable'
      await this.#settle(chunk, { outcome: 'accepted', word, ...sizes })
    } catch (error) {
      await this.#settleFailure(chunk, recipients, sizes, error)
    }
  }

  async #settleFailure(
    chunk: InHand,
    recipients: readonly Recipient[],
    sizes: Pick<Settlement, 'size' | 'filtered'>,
    error: unknown,
  ): Promise<void> {
    if (isPpoppoError(error, 'closed')) this.#parts.onClosed()
    const record = await this.#parts.ledger.read(chunk.id).catch(() => undefined)
    const after = judgeFailure(error, record?.hasAccepted ?? true, recipients.length)
    if (after.kind === 'settle') return this.#settle(chunk, { ...after.settlement, ...sizes })
    try {
      await this.#split(chunk, recipients, sizes.filtered, after.code)
    } catch {
      await this.#settle(chunk, { ...planned('store_unavailable'), ...sizes })
    }
  }

  async #split(chunk: InHand, recipients: readonly Recipient[], filtered: number, code: string): Promise<void> {
    const { ledger, seal } = this.#parts
    const middle = Math.ceil(recipients.length / 2)
    let known = (await ledger.read(chunk.id)).chunks
    for (;;) {
      const halves = await Promise.all([
        seal.chunk(chunk.id, known, recipients.slice(0, middle)),
        seal.chunk(chunk.id, known + 1, recipients.slice(middle)),
      ])
      const answer = await ledger.split(chunk, known, filtered, code, halves)
      if (typeof answer !== 'number') return
      known = answer // another worker has split one meanwhile
    }
  }

  /** Retries until the ledger has it, or this worker is cut off; then other workers mark the chunk as unknown. */
  async #settle(chunk: ClaimedChunk, settlement: Settlement): Promise<void> {
    const { ledger, cutOff, runtime } = this.#parts
    for (;;) {
      try {
        await ledger.settle(chunk, settlement)
        return
      } catch {
        if (cutOff.aborted) return
        await pause(SETTLE_RETRY_MS, cutOff, runtime)
      }
    }
  }

  #openZones(settings: CampaignSettings): string {
    return openZonesOf(settings, this.#parts.runtime.now())
  }

  #pause(ms: number): Promise<void> {
    return pause(Math.min(ms, LONGEST_PAUSE_MS), this.#parts.closing, this.#parts.runtime)
  }
}

/** Nothing was sent. */
function planned(word: string, stopReason = ''): Settlement {
  return { outcome: 'planned', word, size: 0, filtered: 0, stopReason }
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
