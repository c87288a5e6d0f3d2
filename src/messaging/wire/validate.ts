import { PpoppoError } from '../../errors.js'
import { isPlainObject, isWholeNumber } from '../../lib/guards.js'
import { keysOf } from '../../lib/known-keys.js'
import { nearest } from '../../lib/nearest.js'
import { isPpnum } from '../../ppnum.js'
import type { CallOptions, PollConfig, Recipient, SendRequest } from '../types/methods.js'
import { assertVars } from './validate-vars.js'

const MAX_RECIPIENTS = 1_000
const MAX_INT32 = 2_147_483_647

/**
 * Checks a send before it is encoded, because proto-loader drops or zeroes invalid values.
 * @returns the request with each ppnum once; the first wins (Ppoppo's Messaging reference, limits)
 * @throws `request_invalid` with the path of the value, e.g. `recipients[3].vars.address.zip`; never the value
 */
export function parseSendRequest(request: unknown): SendRequest {
  const given = record(request, 'The request', 'send({ templateId, recipients: [{ ppnum }] })')
  checkRequestNames(given, ['templateId', 'recipients', 'poll'], 'send')
  const templateId = parseId(given['templateId'], 'templateId')
  const poll = parsePoll(given['poll'])
  const { recipients } = given
  if (!Array.isArray(recipients)) throw invalid('recipients', 'must be a list of { ppnum, vars }')

  const byPpnum = new Map<string, Recipient>()
  recipients.forEach((recipient: unknown, index) => {
    const { ppnum, vars } = parseRecipient(recipient, index)
    if (!byPpnum.has(ppnum)) byPpnum.set(ppnum, vars === undefined ? { ppnum } : { ppnum, vars })
  })
  if (byPpnum.size === 0) throw invalid('recipients', 'is empty: a send needs at least 1 recipient')
  if (byPpnum.size > MAX_RECIPIENTS) {
    throw invalid('recipients', `has ${byPpnum.size} ppnums; the maximum is 1,000. Use sendMany() for more`)
  }
  return { templateId, recipients: [...byPpnum.values()], ...(poll === undefined ? {} : { poll }) }
}

const RECIPIENT_NAMES: readonly string[] = ['ppnum', 'vars'] satisfies readonly (keyof Recipient)[]

/** Checks a recipient. @param index in the list @throws `request_invalid` with its path, e.g. `recipients[3]` */
export function parseRecipient(recipient: unknown, index: number): Recipient {
  const path = `recipients[${index}]`
  const given = record(recipient, path, '{ ppnum, vars }')
  checkNames(given, RECIPIENT_NAMES, `${path}.`)
  const { ppnum, vars } = given
  if (!isPpnum(ppnum)) {
    throw invalid(`${path}.ppnum`, 'must be a string of 11 or more digits; parsePpnum() converts other spellings')
  }
  if (vars === undefined) return { ppnum }
  assertVars(vars, () => `${path}.vars`)
  return { ppnum, vars }
}

/** Checks the settings of a poll. @throws `request_invalid` */
export function parsePoll(poll: unknown): PollConfig | undefined {
  if (poll === undefined) return undefined
  const given = record(poll, 'poll', '{ expiresInHours, allowMultiple }')
  checkNames(given, ['expiresInHours', 'allowMultiple'], 'poll.')
  const { expiresInHours, allowMultiple } = given
  if (expiresInHours !== undefined && !isWholeNumber(expiresInHours, 1, MAX_INT32))
    throw invalid('poll.expiresInHours', 'must be a whole number, 1 or more')
  if (allowMultiple !== undefined && typeof allowMultiple !== 'boolean') {
    throw invalid('poll.allowMultiple', 'must be true or false')
  }
  return given
}

/** Checks an id of the server. @throws `request_invalid` */
export function parseId(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= 200 && /^[\x21-\x7e]+$/.test(value)) return value
  throw invalid(path, 'must be an id from the server: 1 to 200 visible ASCII characters')
}

/** Checks that a value is an object. @throws `request_invalid` */
export function record(value: unknown, path: string, example: string): Readonly<Record<string, unknown>> {
  if (isPlainObject(value)) return value
  throw new PpoppoError('request_invalid', `${/^[a-z]/.test(path) ? `"${path}"` : path} must be an object: ${example}.`)
}

/** Names of the options of every call. */
export const CALL_OPTIONS: readonly string[] = [
  'signal',
  'deadlineMs',
  'rateLimit',
] satisfies readonly (keyof CallOptions)[]

/** Checks names. @throws `request_invalid` for an unknown name, suggesting the nearest known one; never with the value */
export function checkNames(given: object, known: readonly string[], path: string): void {
  const odd = keysOf(given).find((name) => !known.includes(name))
  if (odd === undefined) return
  const meant = nearest(odd, known)
  const name = /^[A-Za-z_]\w{0,30}$/.test(odd) ? odd : '(odd name)'
  throw invalid(
    `${path}${name}`,
    meant === undefined
      ? `is not known; known are: ${known.join(', ')}`
      : `is not known; did you mean "${path}${meant}"?`,
  )
}

/**
 * {@link checkNames} for the request of a call. One of {@link CALL_OPTIONS} in it, such as `signal`, would have no effect.
 * @param call name of the method, e.g. `send`
 */
export function checkRequestNames(given: object, known: readonly string[], call: string): void {
  const misplaced = CALL_OPTIONS.find((name) => Object.hasOwn(given, name))
  if (misplaced === undefined) return checkNames(given, known, '')
  throw invalid(misplaced, `belongs in the second argument: ${call}(request, { ${misplaced} })`)
}

/**
 * Rejects a second argument if all options belong in the first: other calls take a `signal` in the second, where it would
 * have no effect here.
 * @param call name of the method, e.g. `events`
 */
export function refuseMore(more: readonly unknown[], call: string): void {
  if (more.every((value) => value === undefined)) return
  throw new PpoppoError('request_invalid', `${call}: takes a single argument, an object with all options.`)
}

/** The members in `names` that are not `undefined`. */
export function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const entries = names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]] as const)
  return Object.fromEntries(entries) as Pick<T, K>
}

/** The error for a value at a path. */
export function invalid(path: string, problem: string): PpoppoError {
  return new PpoppoError('request_invalid', `"${path}" ${problem}${/[.?]$/.test(problem) ? '' : '.'}`)
}
