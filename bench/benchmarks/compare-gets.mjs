import { signIn } from '../lib/browser.mjs'
import { drive } from '../lib/load.mjs'
import { commandsBetween } from '../lib/redis.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { APPS, withApps } from './http-apps.mjs'

/**
 * The same page of every app under load.
 * @param {import('../lib/context.mjs').Context} context
 * @param {{ path: string, isSignedIn: boolean }} page
 */
export function compareGets(context, { path, isSignedIn }) {
  const names = Object.keys(APPS)
  return withApps(context, names, async (apps) => {
    const requests = context.isQuick ? 1_000 : 12_000
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
