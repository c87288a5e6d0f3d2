import { NOW, type RedisScripts } from '../lua.js'
import { DEAD_AFTER_MS, GUARD, N, PARTS } from './script-parts.js'

/** Names of STEER_SCRIPTS. */
export type SteerScriptName = 'ppoppoCampaignTick' | 'ppoppoCampaignSet' | 'ppoppoCampaignJudge'

/** Scripts that clean up after dead workers, and that pause, resume, cancel and correct campaigns. */
export const STEER_SCRIPTS: RedisScripts<SteerScriptName> = {
  // Chunks that dead workers had only claimed are planned again; those they were sending have an unknown outcome.
  /** KEYS of one; active, workers, truce; ARGV version, id, open zones, most. Answers {state, indexes...}. */
  ppoppoCampaignTick: {
    numberOfKeys: N + 3,
    lua: `${NOW}${PARTS}${GUARD}
local refused = refusal(ARGV[1])
if refused then
  if refused == 'gone' then redis.call('ZREM', KEYS[${N + 1}], ARGV[2]) end
  return {refused}
end
local at = now()
if at > (tonumber(redis.call('GET', KEYS[${N + 3}]) or '0') or 0) then
  local alive = {}
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[${N + 2}], at - ${DEAD_AFTER_MS}, '+inf')) do
    alive[words(member)[1]] = true
  end
  local function isDead(claim) return not alive[string.match(claim or '', '^[^#]*')] end
  for _, index in ipairs(redis.call('ZRANGE', HELD, 0, 999)) do
    local entry = words(redis.call('HGET', LEDGER, index))
    if isDead(entry[2]) then
      redis.call('ZREM', HELD, index)
      if entry[1] == 'held' then plan(index, entry[3]) end
    end
  end
  for _, index in ipairs(redis.call('ZRANGE', SENDING, 0, 999)) do
    local entry = words(redis.call('HGET', LEDGER, index))
    if isDead(entry[2]) then
      redis.call('ZREM', SENDING, index)
      if entry[1] == 'sending' then
        put(index, 'unknown', entry[2], entry[3], entry[4], entry[5], at)
        redis.call('ZADD', UNKNOWN, at, index)
        add('unknown', entry[4])
      end
    end
  end
end
endIfDone(at)
local state = get('state')
if isFinal(state) then redis.call('ZREM', KEYS[${N + 1}], ARGV[2]) end
local reply = {state}
if state ~= 'running' then return reply end
local left = tonumber(ARGV[4])
for zone in string.gmatch(ARGV[3], '%d+') do
  if left <= 0 then break end
  local first = tonumber(zone) * ZONE
  local found = redis.call('ZRANGEBYSCORE', TODO, string.format('%.0f', first), string.format('(%.0f', first + ZONE), 'LIMIT', 0, left)
  for _, index in ipairs(found) do reply[#reply + 1] = index end
  left = left - #found
end
return reply`,
  },

  /** KEYS of one; active; ARGV version, id, 'pause', 'resume' or 'cancel'. Answers the state there is then. */
  ppoppoCampaignSet: {
    numberOfKeys: N + 1,
    lua: `${NOW}${PARTS}${GUARD}
local refused = refusal(ARGV[1])
if refused then return refused end
local state, wish = get('state'), ARGV[3]
if wish == 'pause' and state == 'running' then
  redis.call('HSET', META, 'state', 'paused')
elseif wish == 'resume' and (state == 'paused' or state == 'stopped') then
  redis.call('HSET', META, 'state', 'running', 'refusedInRow', 0, 'unknownInRow', 0)
  redis.call('HDEL', META, 'reason')
  redis.call('ZADD', KEYS[${N + 1}], 'NX', now(), ARGV[2])
elseif wish == 'cancel' and state == 'preparing' then
  redis.call('HSET', META, 'state', 'cancelled', 'endedAt', now())
  redis.call('PERSIST', META)
elseif wish == 'cancel' and not isFinal(state) then
  redis.call('HSET', META, 'state', 'cancelling')
end
endIfDone(now())
return get('state')`,
  },

  /** KEYS of one; active; ARGV version, id, index, 'sent' or 'not-sent', send id. Answers 'settled', 'newer', 'gone', or 'other' if it is not unknown. */
  ppoppoCampaignJudge: {
    numberOfKeys: N + 1,
    lua: `${NOW}${PARTS}${GUARD}
local refused = refusal(ARGV[1])
if refused then return refused end
local index, entry = ARGV[3], words(redis.call('HGET', LEDGER, ARGV[3]))
if entry[1] ~= 'unknown' then return 'other' end
redis.call('ZREM', UNKNOWN, index)
add('unknown', -tonumber(entry[4]))
if ARGV[4] == 'sent' then
  put(index, 'accepted', ARGV[5], entry[4], entry[5])
  redis.call('HDEL', CHUNKS, index)
  add('accepted', entry[4])
  add('filtered', entry[5])
elseif get('state') == 'cancelled' then
  redis.call('HDEL', LEDGER, index)
  redis.call('HDEL', CHUNKS, index)
else
  plan(index, entry[3])
  if get('state') == 'finished' then
    redis.call('HSET', META, 'state', 'running')
    redis.call('HDEL', META, 'endedAt')
    redis.call('ZADD', KEYS[${N + 1}], 'NX', now(), ARGV[2])
  end
end
endIfDone(now())
return 'settled'`,
  },
}
