import type { CampaignWindow } from './types.js'

const MINUTES_A_DAY = 1_440

/** Minutes since midnight; `undefined` if it is not `HH:MM` up to 24:00. */
export function parseTimeOfDay(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const [, hours, minutes] = /^(\d{2}):([0-5]\d)$/.exec(text) ?? []
  const sum = Number(hours) * 60 + Number(minutes)
  return sum <= MINUTES_A_DAY ? sum : undefined
}

/** Whether a text names a time zone that this Node knows. */
export function isTimeZone(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && formatOf(name) !== undefined
}

/** Whether it is within these hours in a time zone. */
export function isOpen({ from, to }: Pick<CampaignWindow, 'from' | 'to'>, timeZone: string, nowMs: number): boolean {
  const [first, end] = [parseTimeOfDay(from) ?? 0, parseTimeOfDay(to) ?? MINUTES_A_DAY]
  const minute = minuteOfDay(timeZone, nowMs)
  return first < end ? minute >= first && minute < end : minute >= first || minute < end
}

/** When the hours begin next in a time zone, to the minute; it looks a little more than a day ahead, for daylight saving. */
export function nextOpening(
  window: Pick<CampaignWindow, 'from' | 'to'>,
  timeZone: string,
  nowMs: number,
): number | undefined {
  const first = Math.floor(nowMs / 60_000) * 60_000
  const step = 15 * 60_000
  for (let at = first; at < first + 50 * 3_600_000; at += step) {
    if (!isOpen(window, timeZone, at + step)) continue
    for (let minute = at; minute <= at + step; minute += 60_000) if (isOpen(window, timeZone, minute)) return minute
  }
  return undefined
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  try {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    formats.set(timeZone, format)
    return format
  } catch {
    return undefined
  }
}

function minuteOfDay(timeZone: string, nowMs: number): number {
  const text = formatOf(timeZone)?.format(nowMs) ?? '00:00'
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5))
}
