import { NOW, type RedisScripts } from '../lua.js'
import { GUARD, N, PARTS } from './script-parts.js'

const DRAFT_TTL_MS = 3_600_000

/** Names of CREATE_SCRIPTS. */
export type CreateScriptName =
  | 'ppoppoCampaignOpen'
  | 'ppoppoCampaignDraft'
  | 'ppoppoCampaignCommit'
  | 'ppoppoCampaignAbandon'

/** Scripts for creating a campaign. */
export const CREATE_SCRIPTS: RedisScripts<CreateScriptName> = {
  /** KEYS of one; all, active; ARGV version, id. Answers 'new', 'newer', or the state there is. */
  ppoppoCampaignOpen: {
    numberOfKeys: N + 2,
    lua: `${NOW}${PARTS}${GUARD}
local state = get('state')
if state then return refusal(ARGV[1]) or state end
redis.call('HSET', META, 'v', ARGV[1], 'state', 'preparing', 'createdAt', now())
redis.call('PEXPIRE', META, ${DRAFT_TTL_MS})
redis.call('ZADD', KEYS[${N + 1}], now(), ARGV[2])
redis.call('ZADD', KEYS[${N + 2}], now(), ARGV[2])
return 'new'`,
  },

  // An hour after a create() died nothing of it is left.
  /** KEYS of one; draft; ARGV recipients so far, (index, chunk)... */
  ppoppoCampaignDraft: {
    numberOfKeys: N + 1,
    lua: `${PARTS}
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[${N + 1}], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[${N + 1}], ${DRAFT_TTL_MS})
if get('state') == 'preparing' then
  redis.call('HSET', META, 'total', ARGV[1])
  redis.call('PEXPIRE', META, ${DRAFT_TTL_MS})
end`,
  },

  // Only the first of several that create the same campaign moves its chunks in.
  /** KEYS of one; draft, all, active; ARGV version, id, settings, digest, total, zones of all chunks ('0,0,1'). Answers 'created', 'newer', or the state there is. */
  ppoppoCampaignCommit: {
    numberOfKeys: N + 3,
    lua: `${NOW}${PARTS}${GUARD}
local draft, state = KEYS[${N + 1}], get('state')
if state and (state ~= 'preparing' or refusal(ARGV[1])) then
  redis.call('UNLINK', draft)
  return refusal(ARGV[1]) or state
end
local chunks = 0
for _ in string.gmatch(ARGV[6], '%d+') do chunks = chunks + 1 end
if redis.call('HLEN', draft) ~= chunks then
  redis.call('UNLINK', draft)
  return 'lost'
end
redis.call('DEL', CHUNKS, TODO)
redis.call('RENAME', draft, CHUNKS)
redis.call('PERSIST', CHUNKS)
local index = 0
for zone in string.gmatch(ARGV[6], '%d+') do
  plan(index, zone)
  index = index + 1
end
redis.call('HSET', META, 'v', ARGV[1], 'state', 'running', 'settings', ARGV[3], 'digest', ARGV[4], 'total', ARGV[5], 'chunks', chunks)
redis.call('HSETNX', META, 'createdAt', now())
redis.call('PERSIST', META)
redis.call('ZADD', KEYS[${N + 2}], 'NX', now(), ARGV[2])
redis.call('ZADD', KEYS[${N + 3}], 'NX', now(), ARGV[2])
return 'created'`,
  },

  // Anybody else who is creating it can go on, since their commit needs nothing that is deleted here.
  /** KEYS of one; draft, all, active; ARGV id. */
  ppoppoCampaignAbandon: {
    numberOfKeys: N + 3,
    lua: `${PARTS}
redis.call('UNLINK', KEYS[${N + 1}])
if get('state') ~= 'preparing' then return end
redis.call('DEL', META)
redis.call('ZREM', KEYS[${N + 2}], ARGV[1])
redis.call('ZREM', KEYS[${N + 3}], ARGV[1])`,
  },
}
