import { IN_TIME, NOW, type RedisScripts, TIME_SCRIPT } from './redis-lua.js'

/** The Lua scripts of the Redis store. Records are `<version>|<value>`; times are milliseconds by Redis TIME. */

const VERSION = `
local function versionOf(record)
  return string.sub(record, 1, string.find(record, '|', 1, true) - 1)
end`

// The index lives as long as its longest-lived member.
const KEEP_INDEX = `
local function keepIndex(index)
  local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', index, last[2]) end
end`

/** The commands our client gets, by name. */
export type ScriptName =
  | 'ppoppoTime'
  | 'ppoppoNow'
  | 'ppoppoTake'
  | 'ppoppoCreate'
  | 'ppoppoWrite'
  | 'ppoppoDelete'
  | 'ppoppoList'
  | 'ppoppoDeleteAll'
  | 'ppoppoAcquire'
  | 'ppoppoRelease'
  | 'ppoppoSetSession'
  | 'ppoppoShare'
  | 'ppoppoCount'
  | 'ppoppoUncount'

/** Name of the command on our client -> its script. */
export const REDIS_SCRIPTS: RedisScripts<ScriptName> = {
  ...TIME_SCRIPT,

  // Each time later than before, also where the clock was set back: it tells apart what began before a sign-out and after.
  // A full Redis takes no new time, and must not stop a sign-out for that.
  /** KEYS clock; ARGV its TTL. Answers milliseconds since the epoch. */
  ppoppoNow: {
    numberOfKeys: 1,
    lua: `${NOW}
local latest = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local ordered = math.max(now(), latest + 1)
local done = redis.pcall('SET', KEYS[1], string.format('%.0f', ordered), 'PX', ARGV[1])
if done.err and not string.find(done.err, 'OOM', 1, true) then return done end
return ordered`,
  },

  /** KEYS attempt, outcome; ARGV pending mark, its TTL, not after. Answers {1, attempt}, {0, outcome} or nil. */
  ppoppoTake: {
    numberOfKeys: 2,
    lua: `${IN_TIME}
local attempt = redis.call('GET', KEYS[1])
if attempt then
  if late(ARGV[3]) then return LATE end
  redis.call('DEL', KEYS[1])
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
  return {1, attempt}
end
local outcome = redis.call('GET', KEYS[2])
return outcome and {0, outcome}`,
  },

  /** KEYS record, index, notbefore; ARGV member, value, expires at, attempt started at, not after, what record keys begin with, most. Answers 1 or 0. */
  ppoppoCreate: {
    numberOfKeys: 3,
    lua: `${IN_TIME}${KEEP_INDEX}
if late(ARGV[5]) then return LATE end
local notBefore = redis.call('GET', KEYS[3])
if notBefore and tonumber(ARGV[4]) <= tonumber(notBefore) then return 0 end
if tonumber(ARGV[3]) <= now() then return 0 end
if not redis.call('SET', KEYS[1], '1|' .. ARGV[2], 'NX', 'PXAT', ARGV[3]) then return 0 end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now())
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
local excess = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[7])
if excess > 0 then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, excess - 1)) do redis.call('DEL', ARGV[6] .. member) end
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, excess - 1)
end
keepIndex(KEYS[2])
return 1`,
  },

  /** KEYS record, index; ARGV member, expected version, value, expires at. Answers written, conflict or gone. */
  ppoppoWrite: {
    numberOfKeys: 2,
    lua: `${NOW}${VERSION}${KEEP_INDEX}
local record = redis.call('GET', KEYS[1])
if not record then return 'gone' end
if versionOf(record) ~= ARGV[2] then return 'conflict' end
if tonumber(ARGV[4]) <= now() then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
else
  redis.call('SET', KEYS[1], string.format('%d', ARGV[2] + 1) .. '|' .. ARGV[3], 'PXAT', ARGV[4])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
keepIndex(KEYS[2])
return 'written'`,
  },

  /** KEYS record, index; ARGV member, expected version or ''. Answers the record that was deleted, or nil. */
  ppoppoDelete: {
    numberOfKeys: 2,
    lua: `${VERSION}${KEEP_INDEX}
local record = redis.call('GET', KEYS[1])
if not record then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return nil
end
if ARGV[2] ~= '' and versionOf(record) ~= ARGV[2] then return nil end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
keepIndex(KEYS[2])
return record`,
  },

  /** KEYS index; ARGV key prefix of this user's records (same slot). Answers member, record, member, record, ... */
  ppoppoList: {
    numberOfKeys: 1,
    lua: `
local found = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local record = redis.call('GET', ARGV[1] .. member)
  if record then
    found[#found + 1] = member
    found[#found + 1] = record
  else
    redis.call('ZREM', KEYS[1], member)
  end
end
return found`,
  },

  /** KEYS index, notbefore; ARGV key prefix of the records, TTL of notbefore, notbefore. Answers like ppoppoList. */
  ppoppoDeleteAll: {
    numberOfKeys: 2,
    lua: `
local deleted = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local record = redis.call('GET', ARGV[1] .. member)
  if record then
    redis.call('DEL', ARGV[1] .. member)
    deleted[#deleted + 1] = member
    deleted[#deleted + 1] = record
  end
end
redis.call('DEL', KEYS[1])
local before = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
redis.call('SET', KEYS[2], string.format('%.0f', math.max(before, ARGV[3])), 'PX', ARGV[2])
return deleted`,
  },

  /** KEYS lease; ARGV holder, TTL, not after. Answers 1 or 0. */
  ppoppoAcquire: {
    numberOfKeys: 1,
    lua: `${IN_TIME}
if late(ARGV[3]) then return LATE end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0`,
  },

  /** KEYS lease; ARGV holder. */
  ppoppoRelease: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
  },

  /** KEYS session; ARGV blob, TTL in seconds, tombstone. Answers 1 or 0. */
  ppoppoSetSession: {
    numberOfKeys: 1,
    lua: `
if redis.call('GET', KEYS[1]) == ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1`,
  },

  /** KEYS secret; ARGV value, TTL. Answers what is there; its time begins anew. */
  ppoppoShare: {
    numberOfKeys: 1,
    lua: `
local known = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], known, 'PX', ARGV[2])
return known`,
  },

  /** KEYS counter; ARGV points, window in milliseconds. Answers milliseconds to wait, or 0. */
  ppoppoCount: {
    numberOfKeys: 1,
    lua: `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if count <= tonumber(ARGV[1]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[1]))`,
  },

  /** KEYS counter. */
  ppoppoUncount: {
    numberOfKeys: 1,
    lua: `if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end`,
  },
}
