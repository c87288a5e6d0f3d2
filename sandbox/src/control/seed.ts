import { isJsonObject } from '../lib/json.js'
import type { SeedMessage } from '../pcs/state/seed-message.js'
import type { SeedTemplate } from '../pcs/state/seed-template.js'
import type { Person } from '../state/people.js'
import type { SandboxControl } from './control.js'

/** What to put into a sandbox. What is left out stays as it is. */
export interface Seed {
  /** Added; a person with a known key is replaced. */
  readonly users?: readonly Person[]
  /** Added, under ids of your own. */
  readonly templates?: readonly SeedTemplate[]
  /** Sent, as if by an app. */
  readonly messages?: readonly SeedMessage[]
}

const FIELDS = ['users', 'templates', 'messages'] as const

/** Checks the shape; each entry is checked when it is added. @throws TypeError naming the field */
export function parseSeed(input: unknown): Seed {
  if (!isJsonObject(input)) throw new TypeError('a seed must be an object')
  const stray = Object.keys(input).find((name) => !FIELDS.some((known) => known === name))
  if (stray !== undefined) throw new TypeError(`"${stray}" is not a known field; known are ${FIELDS.join(', ')}`)
  const wrong = FIELDS.find((name) => input[name] !== undefined && !Array.isArray(input[name]))
  if (wrong !== undefined) throw new TypeError(`"${wrong}" must be a list`)
  return input
}

/** @throws TypeError naming the entry and the field; earlier entries stay added */
export function applySeed(control: SandboxControl, { users = [], templates = [], messages = [] }: Seed): void {
  if (!control.hasPcs && templates.length + messages.length > 0) {
    throw new TypeError('"templates" and "messages" need the messaging service, which is not running')
  }
  if (users.length > 0) control.addPeople(users)
  for (const template of templates) control.pcs.seedTemplate(template)
  if (messages.length > 0) control.pcs.seedMessages(messages)
}
