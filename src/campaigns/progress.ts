import { isPpoppoError } from '../errors.js'
import { pause } from '../messaging/lib/pause.js'
import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { CampaignLedger, CampaignRecord } from '../store/campaign-ledger.js'
import { newerError, unknownCampaign } from './faults.js'
import { nextOpeningOf, openZonesOf, parseReason, parseSettings } from './settings.js'
import type { CampaignProgress, CampaignReason, CampaignState } from './types.js'

const EVERY_MS = 1_000
const MINUTE_MS = 60_000
/** How long `progress()` waits for a store that does not answer, so that a page survives a short outage. */
const PATIENCE_MS = 60_000
const LAST: ReadonlySet<CampaignState> = new Set<CampaignState>(['finished', 'cancelled'])

/** What progress is read from. */
export interface ProgressParts {
  readonly ledger: CampaignLedger
  readonly runtime: MessagingRuntime
}

/** @throws `not_found`, `config_invalid` for a newer version, `store_unavailable` */
export async function readProgress({ ledger, runtime }: ProgressParts, id: string): Promise<CampaignProgress> {
  const record = await readRecord(ledger, id)
  const { total, accepted, rejected, filtered, unknown } = record
  const isRunning = record.state === 'running'
  const perMinute = isRunning ? await ledger.perMinute(id) : 0
  const { state, reason } = isRunning ? await stateOf(ledger, id, record, runtime.now()) : ownState(record)
  const left = Math.max(0, total - accepted - rejected - filtered - unknown)
  const doneAt = state === 'running' && perMinute > 0 ? runtime.now() + (left / perMinute) * MINUTE_MS : undefined
  return {
    ...{ id, state, total, accepted, rejected, filtered, unknown, left, perMinute },
    ...(reason === undefined ? {} : { reason }),
    ...(doneAt === undefined ? {} : { doneAt: new Date(doneAt) }),
  }
}

/** Yields the progress whenever it has changed, until the last state. */
export async function* followProgress(
  parts: ProgressParts,
  id: string,
  { signal = new AbortController().signal, everyMs = EVERY_MS }: { signal?: AbortSignal; everyMs?: number } = {},
): AsyncGenerator<CampaignProgress> {
  let last = ''
  let awaySince: number | undefined
  while (!signal.aborted) {
    try {
      const progress = await readProgress(parts, id)
      awaySince = undefined
      const text = JSON.stringify({ ...progress, doneAt: undefined })
      if (text !== last) yield progress
      last = text
      if (LAST.has(progress.state)) return
    } catch (error) {
      awaySince ??= parts.runtime.monotonic()
      const isOver = parts.runtime.monotonic() - awaySince > PATIENCE_MS
      if (!isPpoppoError(error, 'store_unavailable') || isOver) throw error
    }
    await pause(everyMs, signal, parts.runtime)
  }
}

/** @throws `not_found`, `config_invalid` for a newer version */
export async function readRecord(ledger: CampaignLedger, id: string): Promise<CampaignRecord> {
  const record = await ledger.read(id)
  if (record.state === 'gone') throw unknownCampaign(id)
  if (record.state === 'newer') throw newerError(id)
  return record
}

interface Standing {
  readonly state: CampaignState
  readonly reason?: CampaignReason
}

function ownState({ state, reason }: CampaignRecord): Standing {
  const parsed = state === 'stopped' ? parseReason(reason) : undefined
  return { state: state as CampaignState, ...(parsed === undefined ? {} : { reason: parsed }) }
}

/** The state of a campaign that is neither paused, stopped nor ended. */
async function stateOf(ledger: CampaignLedger, id: string, record: CampaignRecord, nowMs: number): Promise<Standing> {
  const settings = parseSettings(record.settings)
  if (settings?.startAt !== undefined && settings.startAt > nowMs) return { state: 'scheduled' }
  const rest = await ledger.rests()
  if (rest !== undefined) {
    const code = rest.code as CampaignReason['code']
    const message = code === 'rate_limited' ? 'Ppoppo asked to wait.' : 'Ppoppo does not answer properly.'
    return { state: 'resting', reason: { code, message, until: new Date(rest.until) } }
  }
  if (settings?.window === undefined) return { state: 'running' }
  if (await ledger.hasWork(id, openZonesOf(settings, nowMs))) return { state: 'running' }
  const opening = nextOpeningOf(settings, nowMs)
  const until = opening === undefined ? {} : { until: new Date(opening) }
  return {
    state: 'resting',
    reason: { code: 'window', message: 'It is outside the hours of its window.', ...until },
  }
}
