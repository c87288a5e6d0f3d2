import { signIn } from '../lib/browser.mjs'
import { drive } from '../lib/load.mjs'
import { commandsBetween } from '../lib/redis.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { storeCopies } from '../lib/store-copies.mjs'
import { APPS, OURS, withApps } from './http-apps.mjs'

/**
 * The same page of every app under load.
 * @param {import('../lib/context.mjs').Context} context
 * @param {{ path: string, isSignedIn: boolean }} page
 */
export function compareGets(context, { path, isSignedIn }) {
  const names = Object.keys(APPS)
  return withApps(context, names, async (apps) => {
    const requests = context.isQuick ? 1_000 : 12_000
    if (isSignedIn && context.stored > 0) await fillRedis(context, apps[OURS])
    const contenders = {}
    for (const name of names) {
      const app = apps[name]
      const cookie = isSignedIn && name !== 'Express alone' ? await signIn(app.url) : ''
      const load = { cookie, requests }
      await drive(`${app.url}${path}`, { ...load, requests: Math.ceil(requests / 2) })
      contenders[name] = () => measureLoad(context, app, `${app.url}${path}`, load)
    }
    return measureRounds(contenders, context.rounds, context.log)
  })
}

/** CPU of the app and of Redis, and commands to Redis, for each of so many requests. */
async function measureLoad({ redis }, app, url, load) {
  const redisBefore = await redis.stats()
  const before = await app.measure()
  const { perSecond } = await drive(url, load)
  const after = await app.measure()
  const redisAfter = await redis.stats()
  return {
    cpu: (after.cpuMicros - before.cpuMicros) / load.requests,
    perSecond,
    redisCommands: commandsBetween(redisBefore, redisAfter) / load.requests,
    redisCpu: (redisAfter.cpuMicros - redisBefore.cpuMicros) / load.requests,
  }
}

/** Stores as many sign-ins as were asked for: copies of a real one. */
async function fillRedis({ redis, stored, log }, app) {
  const before = new Set(await redis.client.keys('*'))
  await signIn(app.url)
  const keys = await redis.settledKeys()
  await storeCopies(
    redis,
    keys.filter((key) => !before.has(key)),
    stored,
  )
  const used = /used_memory_human:(\S+)/.exec(await redis.client.info('memory'))?.[1]
  log(`${await redis.client.dbsize()} keys are stored, ${used}`)
}
