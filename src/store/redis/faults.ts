import { isPpoppoError, PpoppoError } from '../../errors.js'
import { judge, SILENT } from './verdicts.js'

/** Thrown inside when a call's time is over. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout'
}

const LONGEST_MESSAGE = 500
const BREAK = /^(Connection is closed\.|Reached the max retries per request|Stream isn't writeable)/
const UNCLEAR = /ECONNRESET|EPIPE|ETIMEDOUT|before secure TLS|timed out/
const setupFaults = new WeakSet<PpoppoError>()

/**
 * The one door from ioredis's errors to ours. The cause is a copy with name, message and code alone: ioredis hangs the
 * command and its arguments on an error, and the arguments are passwords (`HELLO AUTH`), secrets and records.
 *
 * @param operation the store's method, e.g. `'readSignIn'`
 * @param server which one, e.g. `'Redis at 127.0.0.1:6379'`
 */
export function toStoreError(operation: string, error: unknown, server = 'Redis'): PpoppoError {
  if (error instanceof PpoppoError) return error
  const cause = withoutArguments(error)
  const { what, todo, isSetup } = judge(textOf(cause))
  const message = `The store operation "${operation}" failed. ${server} ${what}${markOf(cause)}. ${todo}`
  const fault = new PpoppoError('store_unavailable', message, { cause, retryAfterMs: 1000 })
  if (isSetup) setupFaults.add(fault)
  return fault
}

/** Whether something is set up wrongly, so that waiting does not help. */
export function isSetupFault(error: unknown): boolean {
  if (error instanceof PpoppoError) return setupFaults.has(error)
  return isErrorLike(error) && judge(textOf(withoutArguments(error))).isSetup
}

/**
 * Why a call failed: its own error, or what is wrong with the connection where that says more. What ioredis tells the
 * calls of a broken connection is only that it broke.
 */
export function reasonOf(error: unknown, connectionFault: unknown): unknown {
  if (!isErrorLike(error) || !isErrorLike(connectionFault)) return error
  const isConsequence =
    error.name === 'RedisTimeout' ||
    isBreak(error) ||
    (judge(textOf(withoutArguments(error))) === SILENT && error.name !== 'ReplyError')
  return isConsequence && judge(textOf(withoutArguments(connectionFault))) !== SILENT ? connectionFault : error
}

/** Whether this says of a connection only that it broke. */
export function isBreak(error: unknown): boolean {
  return BREAK.test(withoutArguments(error).message)
}

/** Whether the server can be asked for more: this may come of speaking TLS with a port that does not, or the reverse. */
export function isUnclear(error: unknown): boolean {
  const text = textOf(withoutArguments(error))
  const isUnreached = text.includes('sentinels are unreachable') && text.includes('Connection is closed')
  return isBreak(error) || UNCLEAR.test(text) || isUnreached
}

/** Whether Redis answered, and the answer was no: full, forbidden, read-only, or set up wrongly. Else it did not answer. */
export function isRefusedByStore(error: unknown): boolean {
  return isPpoppoError(error, 'store_unavailable') && (isReplyError(error.cause) || setupFaults.has(error))
}

/** Whether Redis itself said so, which it can only do when it is there. */
export function isReplyError(error: unknown): boolean {
  return isErrorLike(error) && error.name === 'ReplyError'
}

function textOf({ code, message }: Fault): string {
  return code === undefined ? message : `${code} ${message}`
}

/** What to search the web for: `ECONNREFUSED`, `WRONGPASS`, or how long was waited. */
function markOf({ name, code, message }: Fault): string {
  if (name === 'RedisTimeout') return ` (${message})`
  const mark = code ?? /^(?!ERR\b)[A-Z]{3,}\b|\bE[A-Z]{4,}(_[A-Z]+)?\b/.exec(message)?.[0]
  return mark === undefined ? '' : ` (${mark})`
}

type Fault = Error & { code?: string }

function withoutArguments(error: unknown): Fault {
  if (!isErrorLike(error)) return new Error('unknown fault')
  // A Cluster says that no node answers, and only beside it why.
  if (isErrorLike(error.lastNodeError)) return withoutArguments(error.lastNodeError)
  // "ERR unknown command 'x', with args beginning with: ..." would print what we store.
  const message = error.message.slice(0, LONGEST_MESSAGE).replace(/,? with args beginning with.*/s, '')
  const copy: Fault = new Error(message)
  copy.name = error.name
  if (typeof error.code === 'string') copy.code = error.code
  return copy
}

/** Not `instanceof`: in Jest and `node:vm` a socket's errors come from another realm. */
function isErrorLike(
  error: unknown,
): error is { name: string; message: string; code?: unknown; lastNodeError?: unknown } {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}
