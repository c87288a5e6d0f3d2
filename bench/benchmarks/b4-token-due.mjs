import { Agent, get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { signIn } from '../lib/browser.mjs'
import { drive } from '../lib/load.mjs'
import { measureRounds, median } from '../lib/rounds.mjs'
import { withApps } from './http-apps.mjs'

const EOC = 'express-openid-connect (Redis)'
const OURS = 'express-ppoppo'
const PROCESSES = 2
const TOKEN_LIFE_SECONDS = 2
/** So few requests are over before much can be measured: a round is the median of some bursts. */
const BURSTS = 3

export const id = 'B4'
export const title = '500 requests of one person at once when the access token has expired, two processes'
export const reference = EOC
export const metrics = {
  tokenCalls: { label: 'token calls', absolute: true, goal: { most: 1 } },
  p99: { label: 'p99 of the answers', unit: 'ms', goal: { most: 0.2 } },
  // A peer may run out of its own time for a token call on a busy machine.
  failed: { label: 'answers other than 200', absolute: true, goal: { most: 0 } },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  const names = Array.from({ length: PROCESSES }, (_, index) => [`${EOC} ${index}`, `${OURS} ${index}`]).flat()
  return withApps(context, names, async (apps) => {
    const contenders = {}
    for (const name of [EOC, OURS]) {
      const urls = names.filter((one) => one.startsWith(name)).map((one) => apps[one].url)
      await warmUp(context, urls)
      contenders[name] = () => measureBursts(context, urls)
    }
    return measureRounds(contenders, context.rounds, context.log)
  })
}

/** As in the other benchmarks, the apps have been in use. */
async function warmUp({ pas, isQuick }, urls) {
  await pas.set({ accessTokenTtlSeconds: 3_600, refreshTokenAnswer: 'absent' })
  const cookie = await signIn(urls[0])
  for (const url of urls) await drive(`${url}/token`, { cookie, requests: isQuick ? 100 : 3_000 })
}

async function measureBursts(context, urls) {
  const bursts = []
  while (bursts.length < (context.isQuick ? 1 : BURSTS)) bursts.push(await measureBurst(context, urls))
  return {
    tokenCalls: Math.max(...bursts.map(({ tokenCalls }) => tokenCalls)),
    p99: median(bursts.map(({ p99 }) => p99)),
    failed: bursts.reduce((sum, { failed }) => sum + failed, 0),
  }
}

async function measureBurst({ pas, isQuick }, urls) {
  const requests = isQuick ? 100 : 500
  const agent = new Agent({ keepAlive: true, maxSockets: requests })
  const targets = Array.from({ length: requests }, (_, index) => urls[index % urls.length])
  const all = (path, cookie) => Promise.all(targets.map((url) => timeOne(`${url}${path}`, cookie, agent)))
  try {
    // express-openid-connect does not take PAS's own answer, `refresh_token: null`.
    await pas.set({ accessTokenTtlSeconds: TOKEN_LIFE_SECONDS, refreshTokenAnswer: 'absent' })
    const cookie = await signIn(urls[0], { agent })
    await pas.set({ accessTokenTtlSeconds: 3_600 })
    // Opens the connections: what is measured is the answers.
    await all('/', '')
    await sleep(TOKEN_LIFE_SECONDS * 1_000)
    const before = await pas.counters()
    const answers = await all('/token', cookie)
    const after = await pas.counters()
    const times = answers.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
    return {
      tokenCalls: after.tokenRefresh - before.tokenRefresh,
      p99: times[Math.ceil(times.length * 0.99) - 1],
      failed: answers.filter(({ status }) => status !== 200).length,
    }
  } finally {
    agent.destroy()
  }
}

/** @returns {Promise<{ status: number, tookMs: number }>} until the whole answer was there */
function timeOne(url, cookie, agent) {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(cookie && { cookie }) }
    const asking = get(url, { agent, headers }, (answer) => {
      answer.resume()
      answer.once('error', reject)
      answer.once('end', () => resolve({ status: answer.statusCode, tookMs: performance.now() - startedAt }))
    })
    asking.setTimeout(60_000, () => asking.destroy(new Error(`${url} did not answer within 60 s`)))
    asking.once('error', reject)
  })
}
