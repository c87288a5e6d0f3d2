import { IN_TIME, NOW, type RedisScripts } from '../lua.js'
import { ARRIVES_MS, CALLS, GUARD, N, PARTS, SILENT_AFTER_MS } from './script-parts.js'

/** After this many splits or refusals in a row, with no send accepted in between, the recipients are not the cause. */
const MAX_REFUSED_IN_A_ROW = 24
/** As many unknown outcomes in a row stop a campaign as stop `sendMany`. */
const MAX_UNKNOWN_IN_A_ROW = 8

/** Names of SEND_SCRIPTS. */
export type SendScriptName =
  | 'ppoppoCampaignTake'
  | 'ppoppoCampaignBegin'
  | 'ppoppoCampaignSettle'
  | 'ppoppoCampaignSplit'

/** Scripts for what a worker does with a chunk. */
export const SEND_SCRIPTS: RedisScripts<SendScriptName> = {
  // The chunks that a dead worker held would otherwise keep the others waiting until it counts as dead.
  /** KEYS of one; workers; ARGV version, not after, index, claim, open zones, most held. Answers {'held', zone, chunk}, or {why not}. */
  ppoppoCampaignTake: {
    numberOfKeys: N + 1,
    lua: `${IN_TIME}${PARTS}${GUARD}
if late(ARGV[2]) then return LATE end
local function isFull(most)
  if redis.call('ZCARD', HELD) < most then return false end
  local seen, held = {}, 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[${N + 1}], now() - ${SILENT_AFTER_MS}, '+inf')) do seen[words(member)[1]] = true end
  for _, index in ipairs(redis.call('ZREVRANGE', HELD, 0, 999)) do
    local claim = words(redis.call('HGET', LEDGER, index))[2] or ''
    if seen[string.match(claim, '^[^#]*')] then held = held + 1 end
    if held >= most then return true end
  end
  return false
end
local refused = refusal(ARGV[1])
if refused then return {refused} end
local state, index = get('state'), ARGV[3]
if state ~= 'running' then return {state} end
local score = redis.call('ZSCORE', TODO, index)
if not score then return {'taken'} end
local zone = string.format('%.0f', math.floor(tonumber(score) / ZONE))
if not has(ARGV[5], zone) then return {'closed'} end
if isFull(tonumber(ARGV[6])) then return {'busy'} end
local chunk = redis.call('HGET', CHUNKS, index)
if not chunk then
  stop('{"code":"store_unavailable","message":"Redis has lost chunks of this campaign: see its eviction policy and its persistence."}')
  return {'stopped'}
end
redis.call('ZREM', TODO, index)
redis.call('ZADD', HELD, now(), index)
put(index, 'held', ARGV[4], zone)
return {'held', zone, chunk}`,
  },

  // The last check before a call. If it is refused, the chunk is planned again, but during a rest the worker waits.
  /** KEYS of one; pace, calls; ARGV not after, index, claim, open zones, size, filtered, most calls in a minute. Answers {'go'}, {'wait', ms}, or {why not}. */
  ppoppoCampaignBegin: {
    numberOfKeys: N + 2,
    lua: `${IN_TIME}${PARTS}${CALLS}
if late(ARGV[1]) then return LATE end
local index, entry = ARGV[2], words(redis.call('HGET', LEDGER, ARGV[2]))
if entry[1] ~= 'held' or entry[2] ~= ARGV[3] then return {'lost'} end
local at, state = now(), get('state')
local isClosed = not has(ARGV[4], entry[3])
if state ~= 'running' or isClosed then
  redis.call('ZREM', HELD, index)
  plan(index, entry[3])
  endIfDone(at)
  return {state ~= 'running' and state or 'closed'}
end
local restMs = (tonumber(redis.call('HGET', KEYS[${N + 1}], 'restUntil') or '0') or 0) - at
if restMs > 0 then return {'wait', restMs} end
local waitMs = untilRoom(KEYS[${N + 2}], tonumber(ARGV[7]), at)
if waitMs > 0 then return {'wait', waitMs} end
redis.call('ZADD', KEYS[${N + 2}], at + ${ARRIVES_MS}, ARGV[3])
redis.call('PEXPIRE', KEYS[${N + 2}], ${60_000 + ARRIVES_MS})
redis.call('ZREM', HELD, index)
redis.call('ZADD', SENDING, at, index)
put(index, 'sending', entry[2], entry[3], ARGV[5], ARGV[6])
redis.call('HSETNX', META, 'startedAt', at)
return {'go'}`,
  },

  // The worker that made the call knows its outcome, so an entry that was marked unknown meanwhile is corrected.
  /** KEYS of one; pace, calls; ARGV index, claim, outcome, its word (send id or code), size, filtered, rest in ms, reason to stop ('' for none). Answers 1, or 0 without the claim. */
  ppoppoCampaignSettle: {
    numberOfKeys: N + 2,
    lua: `${NOW}${PARTS}
local index, claim, outcome, word, size, filtered = unpack(ARGV)
local at = now()
local arrives = tonumber(redis.call('ZSCORE', KEYS[${N + 2}], claim) or '0')
if arrives > at then redis.call('ZADD', KEYS[${N + 2}], at, claim) end
local entry = words(redis.call('HGET', LEDGER, index))
if entry[2] ~= claim or (entry[1] ~= 'held' and entry[1] ~= 'sending' and entry[1] ~= 'unknown') then return 0 end
if outcome == 'planned' and isFinal(get('state')) then return 1 end -- it stays unknown: settle() may plan it again
redis.call('ZREM', HELD, index)
redis.call('ZREM', SENDING, index)
if redis.call('ZREM', UNKNOWN, index) == 1 then add('unknown', -tonumber(entry[4])) end
if outcome == 'planned' then
  plan(index, entry[3])
elseif outcome == 'unknown' then
  put(index, 'unknown', claim, entry[3], size, filtered, at)
  redis.call('ZADD', UNKNOWN, at, index)
  add('unknown', size)
  add('unknownInRow', 1)
  if tonumber(get('unknownInRow')) >= ${MAX_UNKNOWN_IN_A_ROW} then
    stop('{"code":"send_outcome_unknown","message":"${MAX_UNKNOWN_IN_A_ROW} sends in a row had an unknown outcome."}')
    redis.call('HSET', META, 'unknownInRow', 0)
  end
else
  redis.call('HDEL', CHUNKS, index)
  if outcome == 'filtered' then put(index, outcome, filtered) else put(index, outcome, word, size, filtered) end
  add(outcome, outcome == 'filtered' and 0 or size)
  add('filtered', filtered)
  count(tonumber(size) + tonumber(filtered), at)
  if outcome == 'accepted' then redis.call('HSET', META, 'unknownInRow', 0, 'refusedInRow', 0, 'hasAccepted', 1) end
  if outcome == 'rejected' then
    add('refusedInRow', 1)
    if tonumber(get('refusedInRow')) >= ${MAX_REFUSED_IN_A_ROW} then stop(cjson.encode({code = word, message = 'Ppoppo refused one send after the other.'})) end
  end
end
rest(KEYS[${N + 1}], tonumber(ARGV[7]), word, at)
if ARGV[8] ~= '' then stop(ARGV[8]) end
endIfDone(at)
return 1`,
  },

  /** KEYS of one; ARGV index, claim, number of chunks that its caller knows, filtered, code, first half, second half. Answers 'split', 'lost', or the number of chunks. */
  ppoppoCampaignSplit: {
    numberOfKeys: N,
    lua: `${PARTS}
local index, entry = ARGV[1], words(redis.call('HGET', LEDGER, ARGV[1]))
if entry[1] ~= 'sending' or entry[2] ~= ARGV[2] then return 'lost' end
local chunks = tonumber(get('chunks'))
if chunks ~= tonumber(ARGV[3]) then return chunks end
redis.call('ZREM', SENDING, index)
redis.call('HDEL', CHUNKS, index)
add('filtered', ARGV[4])
for i = 0, 1 do
  redis.call('HSET', CHUNKS, chunks + i, ARGV[6 + i])
  plan(chunks + i, entry[3])
end
put(index, 'split', chunks, chunks + 1)
add('chunks', 2)
add('refusedInRow', 1)
if tonumber(get('refusedInRow')) >= ${MAX_REFUSED_IN_A_ROW} then stop(cjson.encode({code = ARGV[5], message = 'Ppoppo refused one send after the other.'})) end
return 'split'`,
  },
}
