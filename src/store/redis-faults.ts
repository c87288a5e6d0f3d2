import { isPpoppoError, PpoppoError } from '../errors.js'

/** Thrown inside when a call's time is over. */
export class RedisTimeout extends Error {
  override readonly name = 'RedisTimeout'
}

/** What Redis's own words mean, and what to do. The first match counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /WRONGPASS|NOAUTH|invalid password/,
    'Redis refuses the user name or password. Check the credentials you configured.',
  ],
  [
    /NOPERM/,
    "The Redis user may not do this. Allow it EVAL, EVALSHA, GET, SET, SCAN, TIME, INFO and the commands of the scripts (+@read +@write +@scripting +@connection) on this library's key prefix.",
  ],
  [
    /unknown (redis )?command/i,
    'This Redis does not know a command we need. Use Redis 6.2 or newer, with EVAL and EVALSHA enabled.',
  ],
  [/syntax error/i, 'This Redis seems to be too old. Use Redis 6.2 or newer.'],
  [/OOM/, 'Redis has reached "maxmemory". Give it more memory, and set "maxmemory-policy noeviction".'],
  [
    /READONLY/,
    'We are connected to a read-only replica. After a failover this heals by itself; else connect to the master.',
  ],
  [/MISCONF/, 'Redis takes no writes because it cannot save to its disk. See its log.'],
  [/LOADING/, 'Redis is loading its data from disk, and will answer once that is done.'],
  [/CLUSTERDOWN/, 'The Redis Cluster does not serve all its slots. See "redis-cli --cluster check".'],
]

/**
 * The one door from ioredis's errors to ours. The cause is a copy with name, message and code alone: ioredis hangs the
 * command and its arguments on an error, and the arguments are passwords (`HELLO AUTH`), secrets and records.
 *
 * @param operation the store's method, e.g. `'readSignIn'`
 * @param connectionError why there is no connection, when that is known
 */
export function toStoreError(operation: string, error: unknown, connectionError?: unknown): PpoppoError {
  if (error instanceof PpoppoError) return error
  const fault = error instanceof RedisTimeout && connectionError !== undefined ? connectionError : error
  const cause = withoutArguments(fault)
  const advice =
    ADVICE.find(([pattern]) => pattern.test(cause.message))?.[1] ??
    'Redis does not answer, or not in time. Check that it is up and reachable from here.'
  return new PpoppoError('store_unavailable', `The store failed at ${operation}. ${advice}`, {
    cause,
    retryAfterMs: 1000,
  })
}

/** Whether Redis answered, and the answer was no: full, forbidden, read-only. Else it did not answer. */
export function isRefusedByStore(error: unknown): boolean {
  return isPpoppoError(error, 'store_unavailable') && isErrorLike(error.cause) && error.cause.name === 'ReplyError'
}

function withoutArguments(error: unknown): Error {
  if (!isErrorLike(error)) return new Error('unknown fault')
  // "ERR unknown command 'x', with args beginning with: ..." would print what we store.
  const copy: Error & { code?: string } = new Error(error.message.replace(/,? with args beginning with.*/s, ''))
  copy.name = error.name
  if (typeof error.code === 'string') copy.code = error.code
  return copy
}

/** Whether Redis itself said so, which it can only do when it is there. */
export function isReplyError(error: unknown): boolean {
  return isErrorLike(error) && error.name === 'ReplyError'
}

/** Not `instanceof`: in Jest and `node:vm` a socket's errors come from another realm. */
function isErrorLike(error: unknown): error is { name: string; message: string; code?: unknown } {
  return typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string'
}
