import { isJsonObject } from '../lib/json.js'
import { isUlid } from '../lib/ulid.js'

/** Someone who can sign in here. Everything about them is invented. */
export interface Person {
  /** Short name used by the sign-in form and by the switches, e.g. `alex`. */
  readonly key: string
  /** What the sign-in page's button says. PAS itself never tells a name. */
  readonly label: string
  /** ppnum_id, a ULID: the `sub` claim. */
  readonly sub: string
  /** 11 digits or more. */
  readonly ppnum: string
  readonly email?: string
  /** RFC 3339. */
  readonly createdAt: string
  /** Only for non-human accounts, e.g. `ai_agent`. */
  readonly accountType?: string
  /** Signing in sends the browser back with `error=account_setup_required`. */
  readonly registration?: 'unfinished'
}

/** The button that refuses; no person may take this key. */
export const DENY_KEY = 'deny'

/** The people a sandbox starts with when it is given no others. Numbers beginning 777 are test data, nobody's. */
export const testPeople: readonly Person[] = [
  {
    key: 'alex',
    label: 'Alex',
    sub: '01J9Z3K8Q2W4E6R8T0Y2V4X6A1',
    ppnum: '77700000001',
    email: 'alex@example.test',
    createdAt: '2025-01-15T09:30:00Z',
  },
  {
    key: 'mina',
    label: 'Mina',
    sub: '01JAB5N7P9S1D3F5G7H9J1K3M2',
    ppnum: '77700000002',
    email: 'mina@example.test',
    createdAt: '2025-03-02T18:05:11Z',
  },
  {
    key: 'robo',
    label: 'Robo',
    sub: '01JBC6Q8R0T2V4W6X8Y0Z2A4B3',
    ppnum: '77700000003',
    email: 'robo@example.test',
    createdAt: '2025-06-20T00:00:00Z',
    accountType: 'ai_agent',
  },
  {
    key: 'newcomer',
    label: 'Newcomer',
    sub: '01JCD7S9T1V3W5X7Y9Z1A3B5C4',
    ppnum: '77700000004',
    createdAt: '2025-11-01T12:00:00Z',
    registration: 'unfinished',
  },
]

interface FieldRule {
  readonly required: boolean
  readonly wants: string
  readonly accepts: (text: string) => boolean
}

const FIELDS: { readonly [K in keyof Person]-?: FieldRule } = {
  key: { required: true, wants: 'a short name of a-z, 0-9, "-"', accepts: (text) => /^[a-z0-9-]{1,40}$/.test(text) },
  label: { required: true, wants: 'a text of 1 to 60 characters', accepts: (text) => /^.{1,60}$/u.test(text) },
  sub: { required: true, wants: 'a ULID, e.g. "01J9Z3K8Q2W4E6R8T0Y2V4X6A1"', accepts: isUlid },
  ppnum: { required: true, wants: 'a string of 11 digits or more', accepts: (text) => /^[0-9]{11,}$/.test(text) },
  email: { required: false, wants: 'an e-mail address', accepts: (text) => /^[^@\s]+@[^@\s]+$/.test(text) },
  createdAt: { required: true, wants: 'an RFC 3339 time, e.g. "2025-01-15T09:30:00Z"', accepts: isRfc3339 },
  accountType: { required: false, wants: 'a word such as "ai_agent"', accepts: (text) => /^[a-z_]{1,40}$/.test(text) },
  registration: { required: false, wants: '"unfinished", or leave it out', accepts: (text) => text === 'unfinished' },
}

function isRfc3339(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
}

/**
 * Checks a list of people from a file or an option.
 * @throws TypeError naming the entry and the field, e.g. `users[2].ppnum must be a string of 11 digits or more`.
 */
export function parsePeople(input: unknown): readonly Person[] {
  if (!Array.isArray(input) || input.length === 0) throw new TypeError('users must be a list of at least one person')
  const people = input.map((entry: unknown, index) => parsePerson(entry, `users[${index}]`))
  for (const field of ['key', 'sub', 'ppnum'] as const) assertUnique(people, field)
  return people
}

function parsePerson(entry: unknown, path: string): Person {
  if (!isJsonObject(entry)) throw new TypeError(`${path} must be an object`)
  for (const name of Object.keys(entry)) {
    if (!Object.hasOwn(FIELDS, name)) {
      throw new TypeError(`${path}.${name} is not a known field; known are ${Object.keys(FIELDS).join(', ')}`)
    }
  }
  const text = (name: keyof Person): string | undefined => {
    const { required, wants, accepts } = FIELDS[name]
    const value = entry[name]
    if (value === undefined && !required) return undefined
    if (typeof value !== 'string' || !accepts(value)) throw new TypeError(`${path}.${name} must be ${wants}`)
    return value
  }
  const sure = (name: keyof Person): string => text(name) ?? ''
  if (entry['key'] === DENY_KEY)
    throw new TypeError(`${path}.key must not be "${DENY_KEY}": the page's own button has it`)
  const [email, accountType, registration] = [text('email'), text('accountType'), text('registration')]
  return {
    key: sure('key'),
    label: sure('label'),
    sub: sure('sub'),
    ppnum: sure('ppnum'),
    createdAt: sure('createdAt'),
    ...(email !== undefined && { email }),
    ...(accountType !== undefined && { accountType }),
    ...(registration !== undefined && { registration: 'unfinished' as const }),
  }
}

function assertUnique(people: readonly Person[], field: 'key' | 'sub' | 'ppnum'): void {
  people.forEach((person, index) => {
    const first = people.findIndex((other) => other[field] === person[field])
    if (first !== index) throw new TypeError(`users[${index}].${field} must be unique: users[${first}] has the same`)
  })
}
