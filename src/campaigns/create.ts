import { createHash, randomUUID } from 'node:crypto'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { ChunkReader } from '../messaging/send-many/chunk-reader.js'
import type { Recipient } from '../messaging/types/methods.js'
import type { CampaignLedger } from '../store/campaign-ledger.js'
import { newerError } from './faults.js'
import { type CheckedRequest, parseCampaignRequest } from './options.js'
import { type Seal, toText } from './seal.js'
import { isTimeZone } from './windows.js'

/** What creating a campaign needs. */
export interface CreateParts {
  readonly ledger: CampaignLedger
  readonly seal: Seal
  /** As the app gave it, not yet checked. */
  readonly request: unknown
}

const CHUNK_SIZE = 1_000
/** Chunks that are sealed and written at a time: about 100 KB. */
const BATCH = 8

/**
 * Reads the recipients into a draft of its own, and commits it as a whole: a campaign exists with all its chunks or not at
 * all, even if several processes create it at once and one of them dies.
 */
export async function createCampaign({ ledger, seal, request }: CreateParts): Promise<string> {
  const checked = parseCampaignRequest(request)
  const { id, settings } = checked
  const read = new Reading(checked)
  const state = await ledger.open(id)
  if (state === 'newer') throw newerError(id)
  const token = randomUUID()
  const isDrafting = state === 'new' || state === 'preparing'
  try {
    for await (const batch of read.batches()) {
      if (!isDrafting) continue
      const sealed = await Promise.all(
        batch.map(async ({ index, recipients }) => [index, await seal.chunk(id, index, recipients)] as const),
      )
      await ledger.draft(id, token, read.total, sealed)
    }
    const digest = read.digest()
    const complete = { ...settings, zones: read.zones }
    const outcome = isDrafting
      ? await ledger.commit(id, token, {
          settings: JSON.stringify(complete),
          digest: await seal.digest(id, digest),
          total: read.total,
          zones: read.chunkZones,
        })
      : state
    if (outcome === 'created') return id
    if (outcome === 'lost') throw new PpoppoError('store_unavailable', `Redis has lost chunks of the campaign ${id}.`)
    if (outcome === 'newer') throw newerError(id)
    await assertSame(ledger, seal, id, digest)
    return id
  } catch (error) {
    if (isDrafting) await ledger.abandon(id, token).catch(() => {}) // it expires
    throw error
  } finally {
    await read.close()
  }
}

async function assertSame(ledger: CampaignLedger, seal: Seal, id: string, digest: string): Promise<void> {
  const { digest: sealed } = await ledger.read(id)
  if (sealed === undefined)
    throw new PpoppoError('campaign_conflict', `The campaign ${id} was cancelled while it was created.`)
  const there = await seal.openDigest(id, sealed)
  if (there === undefined)
    throw new PpoppoError('config_invalid', `The campaign ${id} opens with none of the "vaultKeys". Is one missing?`)
  if (there === digest) return
  throw new PpoppoError(
    'campaign_conflict',
    `There is a campaign ${id} already, with other recipients or settings. Choose another id.`,
  )
}

interface DraftChunk {
  readonly index: number
  readonly recipients: readonly Recipient[]
}

/** The recipients of one `create()`, in chunks of one time zone each. */
class Reading {
  total = 0
  readonly zones: string[]
  readonly chunkZones: number[] = []
  readonly #request: CheckedRequest
  readonly #reader: ChunkReader
  readonly #open = new Map<number, Recipient[]>()
  readonly #hash = createHash('sha256')
  #batch: DraftChunk[] = []

  constructor(request: CheckedRequest) {
    this.#request = request
    this.#reader = new ChunkReader({
      recipients: request.recipients,
      chunkSize: CHUNK_SIZE,
      checkVars: request.checkVars,
    })
    this.zones = [...request.settings.zones]
    this.#hash.update(JSON.stringify(request.settings))
  }

  async *batches(): AsyncGenerator<readonly DraftChunk[]> {
    for (;;) {
      const chunk = await this.#reader.next(() => true).catch(explain)
      for (const recipient of chunk?.recipients ?? []) this.#add(recipient)
      if (chunk === undefined) for (const [zone, recipients] of this.#open) this.#finish(zone, recipients)
      if (this.#batch.length >= BATCH || (chunk === undefined && this.#batch.length > 0)) {
        yield this.#batch
        this.#batch = []
      }
      if (chunk === undefined) break
    }
    if (this.total === 0) throw new PpoppoError('request_invalid', 'campaigns: "recipients" is empty.')
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  digest(): string {
    return this.#hash.update(JSON.stringify(this.zones)).digest('base64url')
  }

  #add(recipient: Recipient): void {
    this.total += 1
    const zone = this.#zoneOf(recipient)
    const recipients = this.#open.get(zone) ?? []
    if (recipients.length === 0) this.#open.set(zone, recipients)
    recipients.push(recipient)
    if (recipients.length === CHUNK_SIZE) this.#finish(zone, recipients)
  }

  #finish(zone: number, recipients: readonly Recipient[]): void {
    this.#open.delete(zone)
    this.#hash.update(`${zone}:`).update(toText(recipients))
    this.#batch.push({ index: this.chunkZones.length, recipients })
    this.chunkZones.push(zone)
  }

  #zoneOf(recipient: Recipient): number {
    const { timeZoneOf } = this.#request
    const name = timeZoneOf?.(recipient)
    if (name === undefined) return 0
    const known = this.zones.indexOf(name)
    if (known >= 0) return known
    if (!isTimeZone(name))
      throw new PpoppoError(
        'request_invalid',
        `campaigns: "timeZoneOf" returned no IANA time zone for recipient ${this.total - 1}.`,
      )
    return this.zones.push(name) - 1
  }
}

function explain(error: unknown): never {
  if (!isPpoppoError(error, 'recipients_source_failed')) throw error
  throw new PpoppoError(
    error.code,
    'campaigns: "recipients" threw; error.cause is what it threw. Nothing was created.',
    {
      cause: error.cause,
    },
  )
}
