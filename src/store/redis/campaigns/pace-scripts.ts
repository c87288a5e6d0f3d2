import { IN_TIME, NOW, type RedisScripts } from '../lua.js'
import { CALLS, DEAD_AFTER_MS } from './script-parts.js'

/** Workers report more often than this. A longer gap means that Redis was away, so for a while no worker is dead. */
const LONGEST_GAP_MS = 8_000
/** A slot is assigned at most this long ahead. */
const SLOT_AHEAD_MS = 500
/** How much delay is made up for, at twice the pace. If nothing was called for longer, there was nothing to do. */
const CATCH_UP_MS = 10_000

/** Names of PACE_SCRIPTS. */
export type PaceScriptName = 'ppoppoCampaignPace' | 'ppoppoCampaignSeen'

/** Scripts for the pace of all campaigns, and who sends. */
export const PACE_SCRIPTS: RedisScripts<PaceScriptName> = {
  // A slot for one call. It may lie a little ahead, so that its holder is there in time, but never so far that a
  // cancelled campaign keeps its holder waiting. A time further ahead than any slot is from before the clock was set
  // back. Slots only spread the calls: `begin` has the last word on how many there may be in a minute.
  /** KEYS pace, calls; ARGV not after, interval in ms, most in a minute, 1 to take the slot. Answers {'slot', ms until then}, {'wait', ms} or {'rest', ms}. */
  ppoppoCampaignPace: {
    numberOfKeys: 2,
    lua: `${IN_TIME}${CALLS}
if late(ARGV[1]) then return LATE end
local at, interval = now(), tonumber(ARGV[2])
local function time(field) return tonumber(redis.call('HGET', KEYS[1], field) or '0') or 0 end
local restMs = time('restUntil') - at
if restMs > 0 then return {'rest', restMs} end
local furthest = at + ${SLOT_AHEAD_MS} + interval
local due = math.min(time('next'), furthest)
if due < at - ${CATCH_UP_MS} then due = at end
local slot = math.max(due, math.min(time('last') + interval / 2, furthest), at + untilRoom(KEYS[2], tonumber(ARGV[3]), at))
local ahead = math.ceil(slot - at)
if ahead > ${SLOT_AHEAD_MS} then return {'wait', ahead - ${SLOT_AHEAD_MS / 2}} end
if ARGV[4] == '1' then
  redis.call('HSET', KEYS[1], 'next', string.format('%.3f', due + interval), 'last', string.format('%.3f', slot))
end
return {'slot', ahead}`,
  },

  /** KEYS workers, truce, feeder; ARGV worker, concurrency (0: it ends), for how long one feeds in ms. Answers {the concurrency of all workers, 1 for who feeds now}. */
  ppoppoCampaignSeen: {
    numberOfKeys: 3,
    lua: `${NOW}
local at, member = now(), ARGV[1] .. ' ' .. ARGV[2]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - 86400000)
if ARGV[2] == '0' then
  for _, one in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if string.find(one, ARGV[1] .. ' ', 1, true) == 1 then redis.call('ZREM', KEYS[1], one) end
  end
else
  local last = redis.call('ZSCORE', KEYS[1], member)
  if last and at - tonumber(last) > ${LONGEST_GAP_MS} then redis.call('SET', KEYS[2], at + ${DEAD_AFTER_MS}, 'PX', ${DEAD_AFTER_MS}) end
  redis.call('ZADD', KEYS[1], at, member)
end
local all = 0
for _, one in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], at - ${DEAD_AFTER_MS}, '+inf')) do
  all = all + (tonumber(string.match(one, ' (%d+)$') or '0') or 0)
end
local isFeeder = ARGV[2] ~= '0' and redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[3])
return {all, isFeeder and 1 or 0}`,
  },
}
