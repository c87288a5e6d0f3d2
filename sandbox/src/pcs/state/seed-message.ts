import { isJsonObject, type JsonObject } from '../../lib/json.js'
import type { SendInput } from './parse-send.js'
import { isPpnum } from './test-numbers.js'

const MAX_PPNUMS = 1_000

/** A message that an app is taken to have sent. */
export interface SeedMessage {
  /** Of a template that is there and active. */
  readonly templateId: string
  /** To whom: 1 to 1,000 numbers of 11 digits or more. */
  readonly ppnums: readonly string[]
  /** What fills the placeholders, for all of them. */
  readonly vars?: Readonly<JsonObject>
}

/** Checks one. @throws TypeError naming the field */
export function parseSeedMessage(input: unknown, path: string): SendInput {
  if (!isJsonObject(input)) throw new TypeError(`${path} must be an object`)
  const { templateId, ppnums, vars = {}, ...others } = input
  const [stray] = Object.keys(others)
  if (stray !== undefined) {
    throw new TypeError(`${path}.${stray} is not a known field; known are templateId, ppnums, vars`)
  }
  if (typeof templateId !== 'string' || templateId === '') throw new TypeError(`${path}.templateId must be a text`)
  const numbers: readonly unknown[] = Array.isArray(ppnums) ? [...new Set(ppnums)] : []
  if (numbers.length === 0 || numbers.length > MAX_PPNUMS || !numbers.every(isNumberText)) {
    throw new TypeError(`${path}.ppnums must be a list of 1 to 1000 strings of 11 digits or more`)
  }
  if (!isJsonObject(vars)) throw new TypeError(`${path}.vars must be an object`)
  return { templateId, recipients: numbers.map((ppnum) => ({ ppnum, vars })) }
}

function isNumberText(value: unknown): value is string {
  return typeof value === 'string' && isPpnum(value)
}
