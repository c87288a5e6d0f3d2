import { COUNT, IN_TIME, NOW, type RedisScripts } from './lua.js'

/** The Lua scripts of login attempts, of the clock that dates them, and of the limits that count them. */

/** `tally(counter, points, window)`: counts one event; milliseconds to wait, or 0. Without a counter: 0. */
const TALLY = `
local function tally(counter, points, window)
  if not counter then return 0 end
  local count = redis.call('INCR', counter)
  if count == 1 then redis.call('PEXPIRE', counter, window) end
  if count <= tonumber(points) then return 0 end
  local left = redis.call('PTTL', counter)
  if left < 0 then -- somebody took its expiry away
    redis.call('PEXPIRE', counter, window)
    left = tonumber(window)
  end
  return math.max(1, left)
end`

/** `newestIn(room)`: the latest time of an attempt that was proposed and accepted, see `ppoppoPut`. */
const NEWEST = `${COUNT}
local function newestIn(room)
  return count(string.match(room, '^(%d+) '))
end`

/** The commands our client gets for them, by name. */
export type AttemptScriptName = 'ppoppoNow' | 'ppoppoPut' | 'ppoppoTake' | 'ppoppoCount' | 'ppoppoUncount'

/** Name of the command on our client -> its script. */
export const ATTEMPT_SCRIPTS: RedisScripts<AttemptScriptName> = {
  // Each time is later than the one before, and than that of every attempt, even if the clock was set back, because it
  // separates what began before a sign-out from what began after. A full Redis takes the new time all the same once the
  // script has written something that needs no room; where it does not, that must not stop a sign-out.
  /** KEYS clock, room (on a Cluster, left out); ARGV TTL of the clock. Answers {milliseconds since the epoch, the same by TIME alone}. */
  ppoppoNow: {
    lua: `${NOW}${NEWEST}
local latest = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local newest = KEYS[2] and newestIn(redis.call('GET', KEYS[2]) or '') or 0
local ordered = math.max(now(), latest + 1, newest + 1)
local function keep()
  local done = redis.pcall('SET', KEYS[1], string.format('%.0f', ordered), 'PX', ARGV[1])
  return done.err
end
local fault = keep()
if fault and string.find(fault, 'OOM', 1, true) then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  fault = keep()
end
if fault and not string.find(fault, 'OOM', 1, true) then return { err = fault } end
return {ordered, now()}`,
  },

  // When an attempt began is sealed in it, so the caller proposes a time. It is accepted if it is later than all that
  // `now()` has given, and recorded, so that all that `now()` will give are later than it. What the order between attempts
  // is does not matter: many may have one time. The bounds (2 s behind, 0.1 s ahead) keep it close to TIME, for when the
  // clock's key was lost.
  // A Cluster spreads attempts over all its nodes, so their size is recorded here: `<end>:<bytes>` for each ten
  // seconds. A taken attempt counts until its end too, since its outcome takes room. An end further ahead than any
  // attempt's was recorded before the clock was set back.
  /** KEYS room, attempt, clock (if the time is proposed), counter (if there is a limit); on a Cluster room alone. ARGV bytes, TTL, least TTL, most bytes, attempt, begun at, points, window. Answers {'kept', time, TTL that is granted, see `attemptTtl`}, {'full', time}, {'misdated', time, time to propose} or {'limited', time, milliseconds to wait}. */
  ppoppoPut: {
    lua: `${NOW}${TALLY}${NEWEST}
local bytes, ttl, most, step = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4]), 10000
local at, taken, byEnd = now(), 0, {}
local wait = tally(KEYS[4], ARGV[7], ARGV[8])
if wait > 0 then return {'limited', at, wait} end
local room = redis.call('GET', KEYS[1]) or ''
local newest = newestIn(room)
if KEYS[3] then
  local latest, begun = tonumber(redis.call('GET', KEYS[3]) or '0') or 0, tonumber(ARGV[6])
  local first = math.max(at, latest + 1)
  if begun <= latest or begun < at - 2000 or begun > first + 100 then return {'misdated', at, first} end
  newest = math.max(newest, begun)
end
local last = math.ceil((at + ttl) / step)
for e, size in string.gmatch(room, '(%d+):(%d+)') do
  e, size = tonumber(e), tonumber(size)
  if e * step > at and e <= last then
    taken = taken + size
    byEnd[e] = (byEnd[e] or 0) + size
  end
end
if taken + bytes > most then return {'full', at} end
local granted = math.min(ttl, math.max(tonumber(ARGV[3]), math.floor(ttl * 2 * (1 - taken / most))))
local mine = math.ceil((at + granted) / step)
byEnd[mine] = (byEnd[mine] or 0) + bytes
local noted, latestEnd = { string.format('%.0f', newest) }, mine
for e, size in pairs(byEnd) do
  noted[#noted + 1] = string.format('%.0f:%.0f', e, size)
  latestEnd = math.max(latestEnd, e)
end
redis.call('SET', KEYS[1], table.concat(noted, ' '), 'PX', (latestEnd + 1) * step - at)
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[5], 'PX', granted) end
return {'kept', at, granted}`,
  },

  // A limit that cannot be counted lets the attempt pass.
  /** KEYS attempt, outcome, counter (if there is a limit); ARGV pending mark, its TTL, not after, points, window. Answers {1, attempt, time, milliseconds to wait}, {0, outcome} or nil. */
  ppoppoTake: {
    lua: `${IN_TIME}${TALLY}
if late(ARGV[3]) then return LATE end
local attempt = redis.call('GETDEL', KEYS[1])
if attempt then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  local isCounted, wait = pcall(tally, KEYS[3], ARGV[4], ARGV[5])
  return {1, attempt, now(), isCounted and wait or 0}
end
local outcome = redis.call('GET', KEYS[2])
return outcome and {0, outcome}`,
  },

  /** KEYS counter; ARGV points, window in milliseconds. Answers milliseconds to wait, or 0. */
  ppoppoCount: {
    numberOfKeys: 1,
    lua: `${TALLY}
return tally(KEYS[1], ARGV[1], ARGV[2])`,
  },

  /** KEYS counter. */
  ppoppoUncount: {
    numberOfKeys: 1,
    lua: `if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end`,
  },
}
