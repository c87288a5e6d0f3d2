/*
 * The ledger of campaigns: the outcome of each chunk. Each script is one atomic step, and only the ledger decides
 * whether a chunk may be sent. An entry is `<state> <fields>`, separated by spaces:
 *
 *   (none)                                        planned: its index is in `todo`
 *   held <claim> <zone>                           a worker has claimed it, and has sent nothing
 *   sending <claim> <zone> <size> <filtered>      its call may be under way
 *   unknown <claim> <zone> <size> <filtered> <at> unknown outcome: never sent again automatically
 *   accepted <send id> <size> <filtered>
 *   rejected <code> <size> <filtered>
 *   filtered <size>
 *   split <first index> <second index>            it was refused as a whole, and continues as these two
 *
 * A claim is `<worker>#<number>`, new each time a chunk is taken: a worker with an older claim cannot change the entry.
 */

/** Version of this layout. A worker leaves campaigns with a higher one to workers that know it. */
export const LEDGER_VERSION = 1

/** A worker that has not been seen for this long counts as dead. */
export const DEAD_AFTER_MS = 15_000
/** Chunks held by a worker that has not been seen for this long do not count towards the most that may be held. */
export const SILENT_AFTER_MS = 2_000
/** A call counts as arrived when it is answered, or after this time. It bounds what slow calls cost of the rate. */
export const ARRIVES_MS = 2_500
/** Settled recipients are counted per interval of this length. */
export const RATE_STEP_MS = 10_000
const RATE_STEPS = 7

/** The keys of one campaign, in this order; other keys that a script needs come after them. */
export const KEYS_OF_ONE = ['meta', 'todo', 'held', 'sending', 'unknown', 'ledger', 'chunks', 'rate'] as const
/** The number of these keys: a script's other keys begin after them. */
export const N: number = KEYS_OF_ONE.length

/** The score of a planned chunk is its zone times this, plus its index. */
export const ZONE_SIZE = 4_294_967_296

/** What the scripts of one campaign share. */
export const PARTS: string = `
local META, TODO, HELD, SENDING, UNKNOWN, LEDGER, CHUNKS, RATE = unpack(KEYS)
local ZONE = ${ZONE_SIZE}
local function get(field) return redis.call('HGET', META, field) end
local function add(field, by) redis.call('HINCRBY', META, field, by) end
local function words(text)
  local found = {}
  for word in string.gmatch(text or '', '%S+') do found[#found + 1] = word end
  return found
end
local function has(list, word)
  for one in string.gmatch(list, '%d+') do if one == word then return true end end
  return false
end
local function put(index, ...) redis.call('HSET', LEDGER, index, table.concat({...}, ' ')) end
local function plan(index, zone)
  redis.call('HDEL', LEDGER, index)
  redis.call('ZADD', TODO, string.format('%.0f', tonumber(zone) * ZONE + tonumber(index)), index)
end
local function isFinal(state) return state == 'finished' or state == 'cancelled' end
local function stop(reason)
  if get('state') ~= 'running' then return end
  redis.call('HSET', META, 'state', 'stopped', 'reason', reason)
end
local function keepUnknownOnly()
  local kept = {}
  for _, index in ipairs(redis.call('ZRANGE', UNKNOWN, 0, -1)) do
    local chunk = redis.call('HGET', CHUNKS, index)
    if chunk then kept[#kept + 1] = index; kept[#kept + 1] = chunk end
  end
  redis.call('UNLINK', CHUNKS, TODO, RATE)
  for i = 1, #kept, 2 do redis.call('HSET', CHUNKS, kept[i], kept[i + 1]) end
end
local function endIfDone(at)
  local state = get('state')
  if isFinal(state) or state == 'preparing' then return end
  if redis.call('ZCARD', HELD) + redis.call('ZCARD', SENDING) > 0 then return end
  if state == 'cancelling' then
    redis.call('HSET', META, 'state', 'cancelled', 'endedAt', at)
    keepUnknownOnly()
  elseif redis.call('ZCARD', TODO) == 0 then
    redis.call('HSET', META, 'state', 'finished', 'endedAt', at)
    redis.call('HDEL', META, 'reason')
    redis.call('UNLINK', RATE)
  end
end
local function count(size, at)
  local step = math.floor(at / ${RATE_STEP_MS})
  redis.call('HINCRBY', RATE, step, size)
  if redis.call('HLEN', RATE) > ${RATE_STEPS} then
    for _, one in ipairs(redis.call('HKEYS', RATE)) do
      if tonumber(one) <= step - ${RATE_STEPS} then redis.call('HDEL', RATE, one) end
    end
  end
end
local function rest(pace, ms, code, at)
  if ms <= 0 then return end
  local till = at + ms
  if till <= (tonumber(redis.call('HGET', pace, 'restUntil') or '0') or 0) then return end
  redis.call('HSET', pace, 'restUntil', till, 'restCode', code, 'next', till) -- what was not called is not made up for
end`

// An unknown version is a newer one, and so is a number that somebody edited.
/** `refusal(version)`: why a campaign may not be touched; `nil` if it may. */
export const GUARD: string = `
local function refusal(version)
  local v = get('v')
  if not v then return 'gone' end
  if (tonumber(v) or 1e9) > tonumber(version) then return 'newer' end
end`

// Each call is in `calls` by when it reached PCS at the latest, and a new one cannot arrive before it begins. So PCS
// sees no more than `most` in any minute, however long calls take to arrive, up to ARRIVES_MS. A time further ahead
// than that is from before the clock was set back: such calls count as made now.
/** `untilRoom(calls, most, at)`: milliseconds until one more call may begin. */
export const CALLS: string = `
local function untilRoom(calls, most, at)
  for _, claim in ipairs(redis.call('ZRANGEBYSCORE', calls, at + ${ARRIVES_MS} + 1, '+inf')) do redis.call('ZADD', calls, at, claim) end
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', at - 60000)
  local over = redis.call('ZCARD', calls) - most
  if over < 0 then return 0 end
  local first = redis.call('ZRANGE', calls, over, over, 'WITHSCORES')
  return tonumber(first[2]) + 60000 - at
end`
