import type { CampaignLedger, LedgerState, Pace } from '../../campaign-ledger.js'
import type { RedisSource } from '../client.js'
import { createRedisClock } from '../clock.js'
import { connectRedis } from '../connection.js'
import { evictionWarning, readRedisPolicy } from '../policy.js'
import { createRedisCampaignKeys } from './keys.js'
import { toList, toRecord, toUnknown } from './read-replies.js'
import { KEYS_OF_ONE, LEDGER_VERSION, ZONE_SIZE } from './script-parts.js'
import { CAMPAIGN_SCRIPTS, type CampaignScriptName } from './scripts.js'

const SCAN_COUNT = 1_000
const MINUTE_MS = 60_000
const RATE_STEP_MS = 10_000

/** Connects at the first call. @param options.prefix ends with a colon, has no braces */
export function createRedisCampaignLedger({
  redis,
  prefix,
  version = LEDGER_VERSION,
}: {
  readonly redis: RedisSource
  readonly prefix: string
  /** Up to which version it reads campaigns, and of which it makes them. @default LEDGER_VERSION */
  readonly version?: number
}): CampaignLedger {
  const connection = connectRedis<CampaignScriptName>({ redis, scripts: CAMPAIGN_SCRIPTS })
  const { runInTime } = createRedisClock<CampaignScriptName>(connection)
  const { run } = connection
  const keys = createRedisCampaignKeys(prefix)
  const keysOf = (id: string): string[] => {
    const one = keys.of(id)
    return KEYS_OF_ONE.map((name) => one[name])
  }

  return {
    queuePrefix: keys.queuePrefix,
    async open(id) {
      const reply = await run('campaigns.open', (client) =>
        client.ppoppoCampaignOpen(...keysOf(id), keys.all, keys.active, version, id),
      )
      return String(reply) as LedgerState
    },
    async draft(id, token, soFar, chunks) {
      const draft = keys.of(id).draft(token)
      await run('campaigns.draft', (client) =>
        client.ppoppoCampaignDraft(...keysOf(id), draft, soFar, ...chunks.flat()),
      )
    },
    async abandon(id, token) {
      const named = [...keysOf(id), keys.of(id).draft(token), keys.all, keys.active]
      await run('campaigns.abandon', (client) => client.ppoppoCampaignAbandon(...named, id))
    },
    async commit(id, token, { settings, digest, total, zones }) {
      const named = [...keysOf(id), keys.of(id).draft(token), keys.all, keys.active]
      const reply = await run('campaigns.commit', (client) =>
        client.ppoppoCampaignCommit(...named, version, id, settings, digest, total, zones.join()),
      )
      return String(reply) as LedgerState
    },
    read: async (id) => toRecord(await run('campaigns.read', (client) => client.hgetall(keys.of(id).meta)), version),
    list: (most) => run('campaigns.list', (client) => client.zrevrange(keys.all, 0, most - 1)),
    active: () => run('campaigns.active', (client) => client.zrange(keys.active, 0, '-1')),
    async tick(id, openZones, most) {
      const [state, ...indexes] = toList(
        await run('campaigns.tick', (client) =>
          client.ppoppoCampaignTick(
            ...[...keysOf(id), keys.active, keys.workers, keys.truce],
            ...[version, id, openZones, most],
          ),
        ),
      )
      return { state: String(state) as LedgerState, indexes: indexes.map(Number) }
    },
    async hasWork(id, openZones) {
      const one = keys.of(id)
      const zones = openZones === '' ? [] : openZones.split(',').map(Number)
      const counts = await run('campaigns.hasWork', (client) =>
        Promise.all([
          client.zcard(one.held),
          client.zcard(one.sending),
          ...zones.map((zone) => client.zcount(one.todo, zone * ZONE_SIZE, `(${(zone + 1) * ZONE_SIZE}`)),
        ]),
      )
      return counts.some((count) => count > 0)
    },
    async take({ id, index, claim }, openZones, mostHeld) {
      const [answer, , chunk] = toList(
        await runInTime('campaigns.take', keys.pace, (client, notAfter) =>
          client.ppoppoCampaignTake(...keysOf(id), keys.workers, version, notAfter, index, claim, openZones, mostHeld),
        ),
      )
      return { answer: String(answer), ...(typeof chunk === 'string' ? { chunk } : {}) }
    },
    async begin({ id, index, claim }, openZones, { size, filtered }, { perMinute }) {
      const [answer, waitMs = 0] = toList(
        await runInTime('campaigns.begin', keys.pace, (client, notAfter) =>
          client.ppoppoCampaignBegin(
            ...[...keysOf(id), keys.pace, keys.calls],
            ...[notAfter, index, claim, openZones, size, filtered, perMinute],
          ),
        ),
      )
      return { answer: String(answer), waitMs: Number(waitMs) }
    },
    async settle({ id, index, claim }, { outcome, word, size, filtered, restMs = 0, stopReason = '' }) {
      const reply = await run('campaigns.settle', (client) =>
        client.ppoppoCampaignSettle(
          ...[...keysOf(id), keys.pace, keys.calls, index, claim, outcome, word, size, filtered],
          ...[Math.ceil(restMs), stopReason],
        ),
      )
      return reply === 1
    },
    async split({ id, index, claim }, known, filtered, code, halves) {
      const reply = await run('campaigns.split', (client) =>
        client.ppoppoCampaignSplit(...keysOf(id), index, claim, known, filtered, code, ...halves),
      )
      return typeof reply === 'number' ? reply : (String(reply) as 'split' | 'lost')
    },
    async set(id, wish) {
      const reply = await run('campaigns.set', (client) =>
        client.ppoppoCampaignSet(...keysOf(id), keys.active, version, id, wish),
      )
      return String(reply) as LedgerState
    },
    async judge(id, index, verdict, sendId) {
      const reply = await run('campaigns.judge', (client) =>
        client.ppoppoCampaignJudge(...keysOf(id), keys.active, version, id, index, verdict, sendId),
      )
      return String(reply) as 'settled'
    },
    async unknown(id, from, count) {
      const one = keys.of(id)
      const indexes = await run('campaigns.unknown', (client) =>
        client.zrange(one.unknown, from, String(from + count - 1)),
      )
      if (indexes.length === 0) return []
      const entries = await run('campaigns.unknown', (client) => client.hmget(one.ledger, ...indexes))
      const chunks = await run('campaigns.unknown', (client) => client.hmget(one.chunks, ...indexes))
      return indexes.flatMap((index, i) => toUnknown(Number(index), entries[i], chunks[i]) ?? [])
    },
    async hasSend(id, sendId) {
      let cursor = '0'
      do {
        const [next, found] = await run('campaigns.hasSend', (client) =>
          client.hscan(keys.of(id).ledger, cursor, 'COUNT', SCAN_COUNT),
        )
        if (found.some((text) => text.startsWith(`accepted ${sendId} `))) return true
        cursor = next
      } while (cursor !== '0')
      return false
    },
    async pace({ perMinute, intervalMs }, isTaking) {
      const [may, inMs] = toList(
        await runInTime('campaigns.pace', keys.pace, (client, notAfter) =>
          client.ppoppoCampaignPace(keys.pace, keys.calls, notAfter, intervalMs, perMinute, isTaking ? 1 : 0),
        ),
      )
      return { may: String(may) as Pace['may'], inMs: Number(inMs) }
    },
    async rests() {
      const [until, code, now] = await run('campaigns.rests', async (client) => {
        const [fields, time] = await Promise.all([
          client.hmget(keys.pace, 'restUntil', 'restCode'),
          client.ppoppoTime(keys.pace),
        ])
        return [Number(fields[0] ?? 0), fields[1] ?? '', Number(toList(time)[0]) * 1000] as const
      })
      return until > now ? { until, code } : undefined
    },
    async perMinute(id) {
      const [steps, time] = await run('campaigns.perMinute', (client) =>
        Promise.all([client.hgetall(keys.of(id).rate), client.ppoppoTime(keys.pace)]),
      )
      const nowMs = Number(toList(time)[0]) * 1000
      const recent = Object.entries(steps).filter(([step]) => Number(step) * RATE_STEP_MS > nowMs - MINUTE_MS - 1)
      const first = Math.min(...recent.map(([step]) => Number(step) * RATE_STEP_MS))
      const sum = recent.reduce((all, [, size]) => all + Number(size), 0)
      return sum === 0 ? 0 : Math.round((sum * MINUTE_MS) / Math.max(RATE_STEP_MS / 2, nowMs - first))
    },
    async seen(worker, concurrency, turnMs) {
      const [capacity, isFeeder] = toList(
        await run('campaigns.seen', (client) =>
          client.ppoppoCampaignSeen(keys.workers, keys.truce, keys.feeder(version), worker, concurrency, turnMs),
        ),
      )
      return { capacity: Number(capacity), isFeeder: isFeeder === 1 }
    },
    async shareKey(key) {
      await run('campaigns.shareKey', (client) => client.set(keys.developmentKey, key, 'NX'))
      return (await run('campaigns.shareKey', (client) => client.get(keys.developmentKey))) ?? key
    },
    readWarning: async () => evictionWarning(await readRedisPolicy(connection), 'chunks and ledgers of campaigns'),
    close: connection.close,
  }
}
