import type { CampaignProgress } from '../../campaigns/types.js'

const BAR_WIDTH = 30
const MINUTE_MS = 60_000

/** All there is to say: `autumn-2026  running  [#####----] 42 %  accepted 420, rejected 0, ...`, in two or three lines. */
export function toLines({ id, state, reason, doneAt, perMinute, ...counts }: CampaignProgress): string {
  const { total, accepted, rejected, filtered, unknown, left } = counts
  const figures = { total, accepted, rejected, filtered, unknown, left }
  const list = Object.entries(figures).map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
  const rate = perMinute > 0 ? `, ${perMinute.toLocaleString('en')} a minute` : ''
  const end = doneAt === undefined ? '' : `, done about ${doneAt.toISOString()}`
  const until = reason?.until === undefined ? '' : ` until ${reason.until.toISOString()}`
  const why = reason === undefined ? '' : `\n    ${reason.code}${until}: ${reason.message}`
  return `${id}  ${state}  ${drawBar(counts)}\n    ${list.join(', ')}${rate}${end}${why}`
}

/** What changes, in one short line: `autumn-2026 [#####----] 42 % running, 4,800 a minute, 3 min left`. */
export function toBar({ id, state, reason, doneAt, perMinute, ...counts }: CampaignProgress, now: Date): string {
  const rate = perMinute > 0 ? `, ${perMinute.toLocaleString('en')} a minute` : ''
  const minutes = doneAt === undefined ? 0 : Math.ceil((doneAt.getTime() - now.getTime()) / MINUTE_MS)
  const end = doneAt === undefined ? '' : `, ${minutes} min left`
  const unknown = counts.unknown > 0 ? `, ${counts.unknown.toLocaleString('en')} unknown` : ''
  const why = reason === undefined ? '' : ` (${reason.code})`
  return `${id} ${drawBar(counts)} ${state}${why}${unknown}${rate}${end}`
}

function drawBar({ total, left }: Pick<CampaignProgress, 'total' | 'left'>): string {
  const part = total === 0 ? 0 : (total - left) / total
  const full = Math.floor(part * BAR_WIDTH)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${Math.floor(part * 100)} %`
}
