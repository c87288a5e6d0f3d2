/** What the scripts of all Redis stores share. */

/** A Lua script; each is one atomic step, and its keys share one Cluster slot. */
export interface RedisScript {
  /** If absent, the first argument of each call is the number. */
  readonly numberOfKeys?: number
  readonly lua: string
}

/** Name of the command on our client -> its script. */
export type RedisScripts<Name extends string> = Readonly<Record<Name, RedisScript>>

/** The commands that scripts add to a client: (their number,) keys, then arguments. */
export type ScriptCommands<Name extends string> = Readonly<
  Record<Name, (...keysThenArguments: (string | number)[]) => Promise<unknown>>
>

/** `now()`: milliseconds since the epoch by Redis TIME, the same throughout a script. */
export const NOW = `
local clock
local function now()
  if clock then return clock end
  local time = redis.call('TIME')
  clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  return clock
end`

/** `count(text)`: a number as we write it; 0 if it is not a number, or out of range (somebody edited it). */
export const COUNT = `
local function count(text)
  local number = tonumber(text or '0') or 0
  return number >= 0 and number < 2 ^ 53 - 1 and number or 0
end`

// A command whose caller has long given up may still be waiting in a socket. If running it late would do harm (use up
// an attempt, create a sign-in that nobody knows about), it carries the time by which it must have begun. A time
// further ahead than any call lasts means that the clock was set back: the limit would stop nothing, so it counts as
// late.
/** `late(notAfter)`, and `LATE` to answer then. */
export const IN_TIME: string = `${NOW}
local function late(notAfter)
  local left = tonumber(notAfter) - now()
  return left < 0 or left > 5000
end
local LATE = { err = 'LATE the caller has given up waiting' }`

/** For the clock. KEYS any key of the node that is asked. */
export const TIME_SCRIPT: RedisScripts<'ppoppoTime'> = {
  ppoppoTime: { numberOfKeys: 1, lua: `return redis.call('TIME')` },
}
