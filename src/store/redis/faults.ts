import { isPpoppoError, PpoppoError } from '../../errors.js'
import { judge, type RedisFaultKind, SILENT } from './known-faults.js'

/** Thrown inside when a call's time is over. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout'
}

const LONGEST_MESSAGE = 500
const BREAK = /^(Connection is closed\.|Reached the max retries per request|Stream isn't writeable)/
const UNCLEAR = /ECONNRESET|EPIPE|ETIMEDOUT|before secure TLS|timed out/
const explanations = new WeakMap<PpoppoError, StoreFault>()

/** What a fault of Redis means, in parts. */
export interface StoreFault {
  readonly kind: RedisFaultKind
  /** A sentence: which server, and what is wrong with it. */
  readonly why: string
  /** A sentence: what to do. */
  readonly todo: string
  /** Waiting does not help. */
  readonly isSetup: boolean
}

/**
 * The only place that turns ioredis's errors into ours. The cause is a copy with only name, message and code: ioredis
 * attaches the command and its arguments to an error, and those hold passwords (`HELLO AUTH`), secrets and records.
 *
 * @param operation the store's method, e.g. `'readSignIn'`
 * @param server which one, e.g. `'Redis at 127.0.0.1:6379'`
 */
export function toStoreError(operation: string, error: unknown, server = 'Redis'): PpoppoError {
  if (error instanceof PpoppoError) return error
  const cause = withoutArguments(error)
  const { what, todo, kind, isSetup } = judge(textOf(cause))
  const why = `${server} ${what}${markOf(cause)}.`
  const message = `The store operation "${operation}" failed. ${why} ${todo}`
  const fault = new PpoppoError('store_unavailable', message, { cause, retryAfterMs: 1000 })
  explanations.set(fault, { kind, why, todo, isSetup })
  return fault
}

/** The parts of an error that {@link toStoreError} made; `undefined` for any other. */
export function explainStoreFault(error: unknown): StoreFault | undefined {
  return error instanceof PpoppoError ? explanations.get(error) : undefined
}

/** Whether something is misconfigured, so that waiting does not help. */
export function isSetupFault(error: unknown): boolean {
  if (error instanceof PpoppoError) return explanations.get(error)?.isSetup === true
  return isErrorLike(error) && judge(textOf(withoutArguments(error))).isSetup
}

/**
 * Why a call failed: its own error, or the fault of the connection if that says more. When a connection breaks, ioredis
 * gives its calls no other reason than that it broke.
 */
export function reasonOf(error: unknown, connectionFault: unknown): unknown {
  if (!isErrorLike(error) || !isErrorLike(connectionFault)) return error
  const isConsequence =
    error.name === 'RedisTimeout' ||
    isBreak(error) ||
    (judge(textOf(withoutArguments(error))) === SILENT && error.name !== 'ReplyError')
  return isConsequence && judge(textOf(withoutArguments(connectionFault))) !== SILENT ? connectionFault : error
}

/** Whether the error says no more than that the connection broke. */
export function isBreak(error: unknown): boolean {
  return BREAK.test(withoutArguments(error).message)
}

/** Whether probing the port may tell more: the cause may be TLS to a port that does not speak it, or the reverse. */
export function isUnclear(error: unknown): boolean {
  const text = textOf(withoutArguments(error))
  const isUnreached = text.includes('sentinels are unreachable') && text.includes('Connection is closed')
  return isBreak(error) || UNCLEAR.test(text) || isUnreached
}

/** Whether Redis answered and refused: full, forbidden, read-only, or misconfigured. Otherwise it did not answer. */
export function isRefusedByStore(error: unknown): boolean {
  return isPpoppoError(error, 'store_unavailable') && (isReplyError(error.cause) || isSetupFault(error))
}

/** Whether the error comes from Redis itself, so Redis is reachable. */
export function isReplyError(error: unknown): boolean {
  return isErrorLike(error) && error.name === 'ReplyError'
}

function textOf({ code, message }: Fault): string {
  return code === undefined ? message : `${code} ${message}`
}

/** A term to search the web for (`ECONNREFUSED`, `WRONGPASS`), or how long we waited. */
function markOf({ name, code, message }: Fault): string {
  if (name === 'RedisTimeout') return ` (${message})`
  const mark = code ?? /^(?!ERR\b)[A-Z]{3,}\b|\bE[A-Z]{4,}(_[A-Z]+)?\b/.exec(message)?.[0]
  return mark === undefined ? '' : ` (${mark})`
}

type Fault = Error & { code?: string }

function withoutArguments(error: unknown): Fault {
  if (!isErrorLike(error)) return new Error('unknown fault')
  // A Cluster's error only says that no node answers; the reason is in another property.
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
