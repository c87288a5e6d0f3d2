import { isPlainObject, parseJsonObject } from '../lib/guards.js'
import type { PollConfig } from '../messaging/types/methods.js'
import type { CampaignReason } from './types.js'
import { isOpen, nextOpening } from './windows.js'

/** What a campaign was created with, except for its recipients. It never changes. */
export interface CampaignSettings {
  readonly templateId: string
  readonly poll?: PollConfig
  /** Milliseconds since the epoch. */
  readonly startAt?: number
  readonly window?: { readonly from: string; readonly to: string }
  /** Time zones; a chunk has the index of one. `''` where there is no window. */
  readonly zones: readonly string[]
}

/** Parses stored settings; `undefined` if they are not valid. */
export function parseSettings(text: string | undefined): CampaignSettings | undefined {
  const value = parseJsonObject(text ?? '')
  if (typeof value?.['templateId'] !== 'string' || !Array.isArray(value['zones'])) return undefined
  return value as unknown as CampaignSettings
}

/** A call takes time to arrive, and must arrive within the window. */
const CLOSES_EARLIER_MS = 2_000

/** The zones in which a campaign may send now, as the ledger's scripts take them: `'0,2'`; `''` for none. */
export function openZonesOf({ startAt, window, zones }: CampaignSettings, nowMs: number): string {
  if (startAt !== undefined && nowMs < startAt) return ''
  const isWithin = (zone: string, atMs: number): boolean => window === undefined || isOpen(window, zone, atMs)
  return [...zones.entries()]
    .filter(([, zone]) => isWithin(zone, nowMs) && isWithin(zone, nowMs + CLOSES_EARLIER_MS))
    .map(([index]) => index)
    .join(',')
}

/** When the next of its closed zones opens, in milliseconds since the epoch. */
export function nextOpeningOf({ window, zones }: CampaignSettings, nowMs: number): number | undefined {
  if (window === undefined) return undefined
  const closed = zones.filter((zone) => !isOpen(window, zone, nowMs))
  const times = closed.flatMap((zone) => nextOpening(window, zone, nowMs) ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

/** A reason as it is stored. */
export function toReasonText(code: CampaignReason['code'], message: string): string {
  return JSON.stringify({ code, message })
}

export function parseReason(text: string | undefined): CampaignReason | undefined {
  const value = parseJsonObject(text ?? '')
  if (!isPlainObject(value) || typeof value['code'] !== 'string') return undefined
  return { code: value['code'] as CampaignReason['code'], message: String(value['message'] ?? '') }
}
