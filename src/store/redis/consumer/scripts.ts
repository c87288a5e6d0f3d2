import { COUNT, IN_TIME, type RedisScripts, TIME_SCRIPT } from '../lua.js'

export const QUEUE_GROUP = 'workers' // every queue's consumer group
const GIVEN_BACK_MS = 300 * 86_400_000 // below the idle time (a year) that entries get when they are given back

// Nothing here expires, because a Redis that evicts may take keys with an expiry first. Earlier versions set one.
const PERSIST = `
local function persist(first)
  for i = first, #KEYS do redis.call('PERSIST', KEYS[i]) end
end`

// An empty stream still exists, so a missing one was evicted or deleted, with any entries that waited in it.
const QUEUE_LOST = `
local function isQueueLost(place, queue)
  return redis.call('HEXISTS', place, 'queued') == 1 and redis.call('EXISTS', queue) == 0
end`

// A dead letter in the list is `<head><text>`, with the head `<bytes of the id>:<id>`. The hash has each text by its
// head, so that there is one letter per event, found without walking the list. It is rebuilt when the two disagree:
// somebody may have edited the list by hand, and no new letter may be mistaken for an existing one.
const LETTERS = `
local function mendTexts(list, texts)
  if redis.call('LLEN', list) == redis.call('HLEN', texts) then return end
  redis.call('DEL', texts)
  local at = 0
  repeat
    local part = redis.call('LRANGE', list, at, at + 99)
    for _, letter in ipairs(part) do
      local bytes = string.match(letter, '^(%d+):') or ''
      local length = #bytes + 1 + (tonumber(bytes) or 0)
      redis.call('HSETNX', texts, string.sub(letter, 1, length), string.sub(letter, length + 1))
    end
    at = at + 100
  until #part == 0
end`

const ADD_LETTERS = `${LETTERS}
local function addLetters(list, texts, most, first, last)
  if first > last then return true end
  mendTexts(list, texts)
  local added, isAdded = {}, {}
  for i = first, last, 2 do
    local head = ARGV[i]
    if not isAdded[head] and redis.call('HEXISTS', texts, head) == 0 then
      isAdded[head] = true
      added[#added + 1] = i
    end
  end
  if redis.call('LLEN', list) + #added > tonumber(most) then return false end
  for _, i in ipairs(added) do
    redis.call('HSET', texts, ARGV[i], ARGV[i + 1])
    redis.call('RPUSH', list, ARGV[i] .. ARGV[i + 1])
  end
  return true
end`

// An entry that was deleted by hand is still pending: Redis 7 drops it while claiming, 6.2 answers nil instead.
const CLAIM = `
local function dropDeleted(worker)
  for _, pending in ipairs(redis.call('XPENDING', KEYS[1], '${QUEUE_GROUP}', '-', '+', 1000, worker)) do
    local id = pending[1]
    if #redis.call('XRANGE', KEYS[1], id, id) == 0 then redis.call('XACK', KEYS[1], '${QUEUE_GROUP}', id) end
  end
end
local function claim(worker, idleMs, most, give)
  local cursor, left, hasHoles = '0-0', most, false
  repeat
    local reply = redis.call('XAUTOCLAIM', KEYS[1], '${QUEUE_GROUP}', worker, idleMs, cursor, 'COUNT', left)
    for _, entry in ipairs(reply[2]) do
      if entry and entry[2] then
        give(entry, redis.call('XPENDING', KEYS[1], '${QUEUE_GROUP}', entry[1], entry[1], 1)[1][4])
        left = left - 1
      else
        hasHoles = true
      end
    end
    cursor = reply[1]
  until cursor == '0-0' or left == 0
  if hasHoles then dropDeleted(worker) end
  return left
end`

// Each process has its own consumer name, and Redis never forgets one by itself.
const FORGET_WORKERS = `
local function forgetWorkers(self, idleMs)
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], '${QUEUE_GROUP}')) do
    local name, pending, idle = consumer[2], consumer[4], consumer[6]
    if name ~= self and pending == 0 and idle > tonumber(idleMs) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], '${QUEUE_GROUP}', name)
    end
  end
end`

/** The commands our client gets for consumers, by name. */
export type ConsumerScriptName =
  | 'ppoppoTime'
  | 'ppoppoConsumerAcquire'
  | 'ppoppoConsumerRenew'
  | 'ppoppoConsumerRelease'
  | 'ppoppoConsumerCommit'
  | 'ppoppoLetterAdd'
  | 'ppoppoLetterRemove'
  | 'ppoppoQueueTake'
  | 'ppoppoQueueFinish'
  | 'ppoppoQueueGiveBack'

/** The Lua scripts of the consumer store. Letters are passed as `head, text, head, text, ...`. */
export const CONSUMER_SCRIPTS: RedisScripts<ConsumerScriptName> = {
  ...TIME_SCRIPT,

  /** KEYS lease, place, queue, mark, letters, texts; ARGV holder, TTL, not after. Answers {fence, checkpoint or nil, last fence or nil, whether lost} or {nil, milliseconds}. */
  ppoppoConsumerAcquire: {
    numberOfKeys: 6,
    lua: `${IN_TIME}${COUNT}${PERSIST}${QUEUE_LOST}
if late(ARGV[3]) then return LATE end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 then return {false, left} end
  redis.call('PEXPIRE', KEYS[1], ARGV[2]) -- somebody took its expiry away: it would be held for ever
  return {false, tonumber(ARGV[2])}
end
local last, mark = redis.call('HGET', KEYS[2], 'fence'), redis.call('GET', KEYS[4])
local before = math.max(count(last or nil), count(mark or nil))
local fence = string.format('%.0f', math.max(before + 1, now()))
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if (mark and not last) or isQueueLost(KEYS[2], KEYS[3]) then redis.call('HSET', KEYS[2], 'lost', '1') end
redis.call('HSET', KEYS[2], 'fence', fence, 'sequence', '0')
redis.call('SET', KEYS[4], fence)
persist(2)
local place = redis.call('HMGET', KEYS[2], 'checkpoint', 'lost')
return {fence, place[1], last, place[2]}`,
  },

  /** KEYS lease, place, queue, mark, letters, texts; ARGV holder, TTL, not after. Answers 1 or 0. */
  ppoppoConsumerRenew: {
    numberOfKeys: 6,
    lua: `${IN_TIME}${PERSIST}
if late(ARGV[3]) then return LATE end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('EXISTS', KEYS[3]) == 1 and redis.call('XLEN', KEYS[3]) == 0 then redis.call('HDEL', KEYS[2], 'queued') end
persist(2)
return 1`,
  },

  /** KEYS lease; ARGV holder, not after. */
  ppoppoConsumerRelease: {
    numberOfKeys: 1,
    lua: `${IN_TIME}
if late(ARGV[2]) then return LATE end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`,
  },

  /** KEYS place, letters, texts, queue; ARGV fence, sequence, checkpoint, whether a loss is accepted, most letters, length of all letters, most waiting, letters, entries. */
  ppoppoConsumerCommit: {
    numberOfKeys: 4,
    lua: `${COUNT}${QUEUE_LOST}${ADD_LETTERS}
local place = redis.call('HMGET', KEYS[1], 'fence', 'sequence', 'lost')
if place[1] ~= ARGV[1] then return 'lost' end
if count(place[2] or nil) >= tonumber(ARGV[2]) then return 'committed' end
if ARGV[4] == '1' then
  redis.call('HDEL', KEYS[1], 'lost', 'queued')
elseif place[3] or isQueueLost(KEYS[1], KEYS[4]) then
  return 'lost'
end
local lastLetter = 7 + tonumber(ARGV[6])
local entries = #ARGV - lastLetter
if entries > 0 and redis.call('XLEN', KEYS[4]) + entries > tonumber(ARGV[7]) then return 'full' end
if not addLetters(KEYS[2], KEYS[3], ARGV[5], 8, lastLetter) then return 'full' end
for i = lastLetter + 1, #ARGV do redis.call('XADD', KEYS[4], '*', 'event', ARGV[i]) end
if entries > 0 then redis.call('HSET', KEYS[1], 'queued', '1') end
redis.call('HSET', KEYS[1], 'sequence', ARGV[2], 'checkpoint', ARGV[3])
return 'committed'`,
  },

  /** KEYS letters, texts; ARGV most letters, not after, letter. Answers 1 or 0. */
  ppoppoLetterAdd: {
    numberOfKeys: 2,
    lua: `${IN_TIME}${ADD_LETTERS}
if late(ARGV[2]) then return LATE end
return addLetters(KEYS[1], KEYS[2], ARGV[1], 3, #ARGV) and 1 or 0`,
  },

  /** KEYS letters, texts; ARGV head, not after. Answers 1 or 0. */
  ppoppoLetterRemove: {
    numberOfKeys: 2,
    lua: `${IN_TIME}${LETTERS}
if late(ARGV[2]) then return LATE end
mendTexts(KEYS[1], KEYS[2])
local text = redis.call('HGET', KEYS[2], ARGV[1])
if not text then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('LREM', KEYS[1], 1, ARGV[1] .. text)`,
  },

  /** KEYS queue, place; ARGV worker, count, claim after, not after, what to claim (any, one and nothing with it, none but what was given back, or nothing), whether to forget workers. Answers {last id when there are none, id, text, deliveries, id, ...}. */
  ppoppoQueueTake: {
    numberOfKeys: 2,
    lua: `${IN_TIME}${QUEUE_LOST}${CLAIM}${FORGET_WORKERS}
if late(ARGV[4]) then return LATE end
local pending = redis.pcall('XPENDING', KEYS[1], '${QUEUE_GROUP}')
if pending.err then
  if not string.find(pending.err, 'NOGROUP', 1, true) then return pending end
  if isQueueLost(KEYS[2], KEYS[1]) then redis.call('HSET', KEYS[2], 'lost', '1') end
  redis.call('XGROUP', 'CREATE', KEYS[1], '${QUEUE_GROUP}', '0', 'MKSTREAM')
  pending = {0}
end
local answer, left = {'0-0'}, tonumber(ARGV[2])
local function give(entry, deliveries)
  for _, part in ipairs({entry[1], entry[2][2], deliveries}) do answer[#answer + 1] = part end
end
local idle = ARGV[5] == 'none' and ${GIVEN_BACK_MS} or ARGV[3]
if pending[1] > 0 and ARGV[5] == 'one' and claim(ARGV[1], idle, 1, give) == 0 then return answer end
if pending[1] > 0 and (ARGV[5] == 'any' or ARGV[5] == 'none') then left = claim(ARGV[1], idle, left, give) end
if left > 0 then
  local reply = redis.call('XREADGROUP', 'GROUP', '${QUEUE_GROUP}', ARGV[1], 'COUNT', left, 'STREAMS', KEYS[1], '>')
  for _, entry in ipairs(reply and reply[1][2] or {}) do give(entry, 1) end
end
if ARGV[6] == '1' then forgetWorkers(ARGV[1], ARGV[3]) end
if #answer > 1 then return answer end
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
  if info[i] == 'last-generated-id' then answer[1] = info[i + 1] end
end
return answer`,
  },

  /** KEYS queue; ARGV worker, id, deliveries without this one, not after. Only what is still this worker's. */
  ppoppoQueueGiveBack: {
    numberOfKeys: 1,
    lua: `${IN_TIME}
if late(ARGV[4]) then return LATE end
local pending = redis.call('XPENDING', KEYS[1], '${QUEUE_GROUP}', ARGV[2], ARGV[2], 1, ARGV[1])
if #pending == 0 then return end
redis.call('XCLAIM', KEYS[1], '${QUEUE_GROUP}', ARGV[1], 0, ARGV[2], 'IDLE', 31536000000, 'RETRYCOUNT', ARGV[3], 'JUSTID')`,
  },

  /** KEYS queue, letters, texts; ARGV id, most letters, letter. Answers 1 or 0. */
  ppoppoQueueFinish: {
    numberOfKeys: 3,
    lua: `${ADD_LETTERS}
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) > 0 and not addLetters(KEYS[2], KEYS[3], ARGV[2], 3, #ARGV) then
  return 0
end
redis.call('XACK', KEYS[1], '${QUEUE_GROUP}', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
return 1`,
  },
}
