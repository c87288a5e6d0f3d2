import type { Line } from './journal.js'

export interface Law {
  /** Ids of all events, in the order of the stream. */
  readonly ids: readonly string[]
  readonly maxInFlight: number
  /** Fences whose consumer was stopped and had the time to finish: none of its events may come again. */
  readonly clean?: ReadonlySet<number>
}

/**
 * What of a journal breaks the promises of `consume()`, in words; nothing where they were kept.
 * 1. Each event was handled. 2. Who is no longer active begins nothing. 3. One fence, one process. 4. Events of a send in
 * order, each begun when the one before was done. 5. At most `maxInFlight` of a term come again, none of one that was
 * stopped. 6. At most `maxInFlight` at work. 7. What a stopped one began had ended before the next one began.
 */
export function judgeJournal(lines: readonly Line[], law: Law): readonly string[] {
  const begins = lines.filter(({ what }) => what === 'begin')
  return [
    ...lost(lines, law),
    ...fencesBack(begins),
    ...fencesShared(begins),
    ...outOfOrder(lines),
    ...comeAgain(begins, law),
    ...tooManyAtWork(lines, law),
    ...overlaps(lines, law),
  ].slice(0, 20)
}

function lost(lines: readonly Line[], { ids }: Law): readonly string[] {
  const ended = new Set(lines.filter(({ what }) => what === 'end').map(({ eventId }) => eventId))
  return ids.filter((id) => !ended.has(id)).map((id) => `${id} was never handled`)
}

/** By the time at which they began, not by where the lines stand: a process may be frozen between the two. */
function fencesBack(begins: readonly Line[]): readonly string[] {
  let highest = 0
  const inTime = [...begins].sort((one, other) => one.at - other.at)
  return inTime.flatMap(({ fence, pid, eventId }) => {
    const complaint = fence < highest ? [`${pid} began ${eventId} under ${fence} after ${highest} had begun`] : []
    highest = Math.max(highest, fence)
    return complaint
  })
}

function fencesShared(begins: readonly Line[]): readonly string[] {
  const pids = new Map<number, number>()
  return begins.flatMap(({ fence, pid }) => {
    const first = pids.get(fence) ?? pid
    pids.set(fence, first)
    return first === pid ? [] : [`${first} and ${pid} both acted under ${fence}`]
  })
}

function outOfOrder(lines: readonly Line[]): readonly string[] {
  const complaints: string[] = []
  const seen = new Set<string>()
  const ended = new Set<string>()
  /** The last event of each send that was begun for the first time. */
  const lastOf = new Map<string, string>()
  for (const { what, eventId, sendRequestId } of lines) {
    if (what === 'end') ended.add(eventId)
    else if (!seen.has(eventId)) {
      seen.add(eventId)
      const last = lastOf.get(sendRequestId)
      if (last !== undefined && last > eventId) complaints.push(`${eventId} was begun after ${last}`)
      if (last !== undefined && !ended.has(last)) complaints.push(`${eventId} was begun before ${last} was done`)
      lastOf.set(sendRequestId, eventId)
    }
  }
  return complaints
}

function comeAgain(begins: readonly Line[], { maxInFlight, clean }: Law): readonly string[] {
  /** Later beginnings first: which fence an event is begun under next. */
  const later = new Set<string>()
  const again = new Map<number, Set<string>>()
  const complaints: string[] = []
  for (const fence of [...new Set(begins.map((line) => line.fence))].sort((a, b) => b - a)) {
    const own = firstAttempts(begins.filter((line) => line.fence === fence))
    const unique = new Set(own)
    if (unique.size < own.length) complaints.push(`${own.length - unique.size} events were begun twice under ${fence}`)
    again.set(fence, new Set(own.filter((id) => later.has(id))))
    for (const id of own) later.add(id)
  }
  for (const [fence, ids] of again) {
    const most = clean?.has(fence) ? 0 : maxInFlight
    if (ids.size > most) complaints.push(`${ids.size} events of ${fence} came again, ${most} may`)
  }
  return complaints
}

/** Of one fence. The first attempt at an event that may have ended a process before is not number 1. */
function firstAttempts(begins: readonly Line[]): readonly string[] {
  const first = new Map<string, number>()
  for (const { eventId, attempt } of begins) first.set(eventId, Math.min(attempt, first.get(eventId) ?? attempt))
  return begins.filter(({ eventId, attempt }) => attempt === first.get(eventId)).map(({ eventId }) => eventId)
}

function tooManyAtWork(lines: readonly Line[], { maxInFlight }: Law): readonly string[] {
  const open = new Map<number, number>()
  return lines.flatMap(({ what, fence }) => {
    const count = (open.get(fence) ?? 0) + (what === 'begin' ? 1 : -1)
    open.set(fence, count)
    return count > maxInFlight ? [`${count} handlers were at work under ${fence}`] : []
  })
}

function overlaps(lines: readonly Line[], { clean = new Set() }: Law): readonly string[] {
  let highest = 0
  return lines.flatMap(({ what, fence, eventId }) => {
    if (what === 'begin') highest = Math.max(highest, fence)
    return what === 'end' && fence < highest && clean.has(fence)
      ? [`${eventId} ended under ${fence}, which had been given back, after ${highest} had begun`]
      : []
  })
}
