import { signIn } from '../lib/browser.mjs'
import { drive } from '../lib/load.mjs'
import { commandsBetween } from '../lib/redis.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { APPS, withApps } from './http-apps.mjs'

export const id = 'B1'
export const title = 'Guarded GET of a signed-in person, 32 connections'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU per request', unit: 'us', goal: { most: 0.9 } },
  perSecond: { label: 'requests/s', unit: '/s', goal: { least: 1.1 } },
  redisCommands: { label: 'Redis commands per request', absolute: true, goal: { most: 2.05 } },
  redisCpu: { label: 'CPU of Redis per request', unit: 'us' },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  const names = Object.keys(APPS)
  return withApps(context, names, async (apps) => {
    const requests = context.isQuick ? 1_000 : 12_000
    const contenders = {}
    for (const name of names) {
      const app = apps[name]
      const cookie = name === 'Express alone' ? '' : await signIn(app.url)
      await drive(`${app.url}/me`, { cookie, requests: Math.ceil(requests / 2) })
      contenders[name] = () => measureLoad(context, app, `${app.url}/me`, { cookie, requests })
    }
    return measureRounds(contenders, context.rounds, context.log)
  })
}

/** CPU of the app and of Redis, and commands to Redis, for each of so many requests. */
export async function measureLoad({ redis }, app, url, load) {
  const redisBefore = await redis.stats()
  const before = await app.measure()
  const { perSecond, p99 } = await drive(url, load)
  const after = await app.measure()
  const redisAfter = await redis.stats()
  return {
    cpu: (after.cpuMicros - before.cpuMicros) / load.requests,
    perSecond,
    p99,
    redisCommands: commandsBetween(redisBefore, redisAfter) / load.requests,
    redisCpu: (redisAfter.cpuMicros - redisBefore.cpuMicros) / load.requests,
  }
}
