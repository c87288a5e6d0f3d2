import { createBrowser, signIn } from '../lib/browser.mjs'
import { startSlowProxy } from '../lib/slow-proxy.mjs'
import { withApps } from './http-apps.mjs'

export const id = 'B11'
export const title = 'Round trips to Redis, one after the other (a Redis 50 ms away)'
export const reference = 'bare'
export const metrics = {
  login: { label: 'login', absolute: true },
  callback: { label: 'callback', absolute: true },
  signIn: { label: 'login and callback', absolute: true, goal: { most: 4 } },
  guarded: { label: 'guarded GET', absolute: true, goal: { most: 2 } },
  session: { label: '/auth/session', absolute: true, goal: { most: 2 } },
}
const ROUND_TRIP_MS = 50

/** Times single requests: all that takes long is the way to Redis, so time over round trip counts them. */
export async function run(context) {
  const { hostname, port } = new URL(context.redis.url)
  const proxy = await startSlowProxy({ host: hostname, port: Number(port) }, ROUND_TRIP_MS / 2)
  const names = ['bare', 'express-ppoppo']
  const extra = { redisUrl: `redis://127.0.0.1:${proxy.port}` }
  try {
    return await withApps(
      context,
      names,
      async (apps) => {
        const found = {}
        for (const name of names) {
          found[name] = {
            login: [],
            callback: [],
            signIn: [],
            guarded: [],
            ...(name === 'bare' ? {} : { session: [] }),
          }
          for (let warm = 0; warm < 3; warm += 1) await signIn(apps[name].url)
          for (let round = 0; round < context.rounds; round += 1) await countRoundTrips(apps[name].url, found[name])
        }
        return found
      },
      extra,
    )
  } finally {
    proxy.end()
  }
}

async function countRoundTrips(url, into) {
  const browser = createBrowser()
  const time = async (at) => {
    const startedAt = performance.now()
    const answer = await browser.visit(at)
    return { ...answer, trips: Math.floor((performance.now() - startedAt) / ROUND_TRIP_MS) }
  }
  const login = await time(`${url}/auth/login?return_to=/me`)
  let at = login.location
  while (!at.startsWith(`${url}/auth/callback`)) {
    const answer = await browser.visit(at)
    at = new URL(answer.location, at).href
  }
  const callback = await time(at)
  const guarded = await time(`${url}/me`)
  if (guarded.status !== 200) throw new Error(`the guarded page answered ${guarded.status}`)
  into.login.push(login.trips)
  into.callback.push(callback.trips)
  into.signIn.push(login.trips + callback.trips)
  into.guarded.push(guarded.trips)
  if (into.session) into.session.push((await time(`${url}/auth/session`)).trips)
}
