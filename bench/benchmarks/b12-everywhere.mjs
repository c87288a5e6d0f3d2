import { Agent } from 'node:http'
import { createBrowser, signIn } from '../lib/browser.mjs'
import { commandsBetween } from '../lib/redis.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { OURS, withApps } from './http-apps.mjs'

const SIGN_INS = 100

export const id = 'B12'
export const title = `Sign-out everywhere of a person with ${SIGN_INS} sign-ins, in one request`
export const reference = OURS
export const metrics = {
  tookMs: { label: 'time', unit: 'ms', absolute: true },
  cpu: { label: 'CPU', unit: 'us', absolute: true },
  redisCommands: { label: 'Redis commands', absolute: true },
  left: { label: 'sign-ins left', absolute: true, goal: { most: 0 } },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  return withApps(context, [OURS], ({ [OURS]: app }) =>
    measureRounds({ [OURS]: () => measure(context, app) }, context.rounds, context.log),
  )
}

async function measure({ redis, isQuick }, app) {
  const agent = new Agent({ keepAlive: true })
  try {
    const cookies = []
    for (let index = 0; index < (isQuick ? 20 : SIGN_INS); index += 1) cookies.push(await signIn(app.url, { agent }))
    const redisBefore = await redis.stats()
    const before = await app.measure()
    const startedAt = performance.now()
    const { status, text } = await createBrowser({ agent, cookie: cookies[0] }).visit(`${app.url}/everywhere`)
    const tookMs = performance.now() - startedAt
    if (status !== 200) throw new Error(`signing out answered ${status}: ${text.slice(0, 300)}`)
    const after = await app.measure()
    const redisAfter = await redis.stats()
    return {
      tookMs,
      cpu: after.cpuMicros - before.cpuMicros,
      redisCommands: commandsBetween(redisBefore, redisAfter),
      left: await countSignedIn(app.url, cookies, agent),
    }
  } finally {
    agent.destroy()
  }
}

async function countSignedIn(url, cookies, agent) {
  let count = 0
  for (const cookie of cookies) {
    const { status } = await createBrowser({ agent, cookie }).visit(`${url}/me`)
    if (status === 200) count += 1
  }
  return count
}
