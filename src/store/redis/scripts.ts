import { ATTEMPT_SCRIPTS, type AttemptScriptName } from './attempt-scripts.js'
import { IN_TIME, NOW, type RedisScripts, TIME_SCRIPT } from './lua.js'

/** The Lua scripts of the Redis store. Records are `<version>|<value>`; times are milliseconds by Redis TIME. */

const VERSION = `
local function versionOf(record)
  return string.match(record, '^([1-9]%d*)|') or ''
end`

// The index lives as long as its longest-lived member.
const KEEP_INDEX = `
local function keepIndex(index)
  local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', index, last[2]) end
end`

/** The commands our client gets, by name. */
export type ScriptName =
  | AttemptScriptName
  | 'ppoppoTime'
  | 'ppoppoCreate'
  | 'ppoppoWrite'
  | 'ppoppoDelete'
  | 'ppoppoDeleteAll'
  | 'ppoppoAcquire'
  | 'ppoppoRelease'
  | 'ppoppoSetSession'

/** Name of the command on our client -> its script. */
export const REDIS_SCRIPTS: RedisScripts<ScriptName> = {
  ...TIME_SCRIPT,
  ...ATTEMPT_SCRIPTS,

  // Every key that a script touches must be in KEYS, because some servers refuse it otherwise. So a first call asks
  // which records must go for the new one, and nothing is written until a call names them. The answer names some more, for
  // those that sign in as the same person at the same moment: else only one of them gets on in each round.
  /** KEYS record, index, notbefore, records that may go; ARGV member, value, expires at, attempt started at, not after, most, members that may go. Answers 1, 0, or the members that the next call must name. */
  ppoppoCreate: {
    lua: `${IN_TIME}
if late(ARGV[5]) then return LATE end
local notBefore = redis.call('GET', KEYS[3])
if notBefore and tonumber(ARGV[4]) <= tonumber(notBefore) then return 0 end
if tonumber(ARGV[3]) <= now() then return 0 end
local recordOf, live, leaving, areNamed = {}, {}, {}, true
for i = 7, #ARGV do recordOf[ARGV[i]] = KEYS[i - 3] end
local index, last = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'), ARGV[3]
for i = 1, #index, 2 do
  if tonumber(index[i + 1]) > now() then live[#live + 1] = index[i] end
  if tonumber(index[i + 1]) > tonumber(last) then last = index[i + 1] end
end
local surplus = #live + 1 - tonumber(ARGV[6])
for i = 1, surplus do
  leaving[i] = live[i]
  areNamed = areNamed and recordOf[live[i]] ~= nil
end
if not areNamed then return { unpack(live, 1, math.min(#live, surplus + 16)) } end
if not redis.call('SET', KEYS[1], '1|' .. ARGV[2], 'NX', 'PXAT', ARGV[3]) then return 0 end
if #live * 2 < #index then redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now()) end
for _, member in ipairs(leaving) do
  redis.call('DEL', recordOf[member])
  redis.call('ZREM', KEYS[2], member)
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('PEXPIREAT', KEYS[2], last) -- the index lives as long as its longest-lived member
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

  // All or nothing: if the index has a member whose record is not named, nothing is done. It deletes first, so that a
  // full Redis has room for the new mark.
  /** KEYS index, notbefore, records; ARGV TTL of notbefore, notbefore, members. Answers {1, member, record, member, record, ...} or {0, the members there are}. */
  ppoppoDeleteAll: {
    lua: `
local recordOf = {}
for i = 3, #ARGV do recordOf[ARGV[i]] = KEYS[i] end
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, member in ipairs(members) do
  if not recordOf[member] then return {0, members} end
end
local deleted = {}
for _, member in ipairs(members) do
  local record = redis.call('GET', recordOf[member])
  if record then
    redis.call('DEL', recordOf[member])
    deleted[#deleted + 1] = member
    deleted[#deleted + 1] = record
  end
end
redis.call('DEL', KEYS[1])
local before = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
redis.call('SET', KEYS[2], string.format('%.0f', math.max(before, ARGV[2])), 'PX', ARGV[1])
return {1, deleted}`,
  },

  /** KEYS lease, record; ARGV holder, TTL, not after. Answers {1 or 0, record or nil}. */
  ppoppoAcquire: {
    numberOfKeys: 2,
    lua: `${IN_TIME}
if late(ARGV[3]) then return LATE end
local isMine = redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
if not isMine and redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2]) -- somebody took its expiry away
end
return {isMine and 1 or 0, redis.call('GET', KEYS[2])}`,
  },

  /** KEYS lease; ARGV holder. */
  ppoppoRelease: {
    numberOfKeys: 1,
    lua: `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
  },

  // Nobody sees what is in between: a script is one step.
  /** KEYS session; ARGV blob, TTL in seconds, tombstone, TTL of a tombstone in milliseconds. Answers 1 or 0. */
  ppoppoSetSession: {
    numberOfKeys: 1,
    lua: `
if redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'GET') ~= ARGV[3] then return 1 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 0`,
  },
}
