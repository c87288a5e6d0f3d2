import { isJsonObject } from '../../lib/json.js'
import type { PcsEvent } from './event-log.js'
import type { PcsState } from './pcs-state.js'
import type { Poll } from './poll-book.js'
import { beginAnswers } from './poll-progress.js'
import { beginProgress } from './progress.js'
import type { SendRequest } from './send-book.js'
import type { Template } from './template-book.js'

const VERSION = 1

/** What outlives the sandbox in its state file: not tokens, switches or faults. */
export interface Snapshot {
  readonly version: typeof VERSION
  readonly templates: readonly Template[]
  readonly sends: readonly SendRequest[]
  readonly polls: readonly Poll[]
  readonly events: readonly PcsEvent[]
  readonly usage: { readonly month: string; readonly messages: number }
}

export function takeSnapshot({ templates, sends, polls, events, account }: PcsState): Snapshot {
  return {
    version: VERSION,
    templates: templates.all,
    sends: sends.all,
    polls: polls.all,
    events: events.all,
    usage: { messages: account.monthUsage, month: account.month },
  }
}

/** Restores all of it, and resumes what was under way. */
export function restore(state: PcsState, snapshot: Snapshot): void {
  state.templates.restore(snapshot.templates)
  state.polls.restore(snapshot.polls)
  state.events.restore(snapshot.events)
  state.account.restore(snapshot.usage.month, snapshot.usage.messages)
  state.sends.restore(snapshot.sends)
  for (const poll of state.polls.all) beginAnswers(state, poll)
  for (const send of state.sends.all) beginProgress(state, send)
}

/** The least that tells a state file from any other JSON; what is inside, this sandbox wrote. @throws TypeError */
export function parseSnapshot(input: unknown): Snapshot {
  if (!isSnapshot(input)) throw new TypeError(`"version" must be ${VERSION}, with lists of templates, sends, ...`)
  return input
}

function isSnapshot(input: unknown): input is Snapshot {
  if (!isJsonObject(input) || input['version'] !== VERSION || !isJsonObject(input['usage'])) return false
  const lists = [input['templates'], input['sends'], input['polls'], input['events']]
  return lists.every((list) => Array.isArray(list) && list.every(isJsonObject))
}
