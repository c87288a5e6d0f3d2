import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApp } from '../lib/app.mjs'
import { ask } from '../lib/ask.mjs'
import { signIn } from '../lib/browser.mjs'
import { startPas } from '../lib/pas.mjs'
import { startRedis } from '../lib/redis.mjs'
import { median } from '../lib/rounds.mjs'

const MEBIBYTE = 1024 * 1024
/** What the last third may hold more than the one before, which a leak of a few bytes per request exceeds. */
const MOST_GROWTH = { heapUsed: 2 * MEBIBYTE, rss: 24 * MEBIBYTE }
const SAMPLES = 30
const CONNECTIONS = 32
const SETTLE_WITHIN_MS = 20_000
const PAGES = ['/me', '/', '/auth/session', '/token', '/me']

/**
 * Loads an app for so many seconds, and looks at its memory, and at what is left open afterwards.
 * @returns {Promise<number>} exit code
 */
export async function runSoak(seconds) {
  const redis = await startRedis()
  const pas = await startPas()
  const app = await startApp('ours', { redisUrl: redis.url, issuer: pas.issuer, clientId: 'soak_login_client' })
  try {
    // What the app opens once and keeps is there after a first sign-in.
    const agent = new Agent({ keepAlive: true })
    const cookie = await signIn(app.url, { agent })
    agent.destroy()
    await sleep(1_000)
    const opened = await app.measure()
    const { samples, requests, refused } = await load(app, cookie, seconds)
    const wrong = [...growthIn(samples), ...(await leftOpen(app, opened))]
    console.log(`\n${requests} requests in ${seconds} s, ${refused} of them refused with 503`)
    for (const text of wrong) console.log(text)
    console.log(wrong.length === 0 ? 'memory is flat, nothing is left open' : `${wrong.length} not as promised`)
    return wrong.length === 0 ? 0 : 1
  } finally {
    await app.end()
    await pas.end()
    redis.end()
  }
}

/** Guarded and public pages, and people who sign in and out, as fast as the app answers. */
async function load(app, cookie, seconds) {
  const agent = new Agent({ keepAlive: true })
  const until = performance.now() + seconds * 1_000
  let requests = 0
  let refused = 0
  const askOn = async () => {
    while (performance.now() < until) {
      const { status, text } = await ask(`${app.url}${PAGES[requests % PAGES.length]}`, { cookie }, agent)
      // On a machine that is too busy a call to Redis may take longer than its second.
      if (status === 503) refused += 1
      else if (status !== 200) throw new Error(`a page answered ${status}: ${text.slice(0, 300)}`)
      requests += 1
    }
  }
  const signInAndOut = async () => {
    while (performance.now() < until) {
      try {
        const other = await signIn(app.url, { agent })
        await ask(`${app.url}/out`, { cookie: other }, agent)
      } catch (error) {
        if (!/ended with 503/.test(error.message)) throw error
        refused += 1
      }
    }
  }
  const samples = []
  const look = async () => {
    console.log(['seconds', 'requests', 'heap MiB', 'RSS MiB'].join('\t'))
    for (let number = 1; number <= SAMPLES; number += 1) {
      await sleep(until - ((SAMPLES - number) * seconds * 1_000) / SAMPLES - performance.now())
      const { heapUsed, rss } = await app.measure()
      samples.push({ heapUsed, rss })
      console.log(
        [Math.round((number * seconds) / SAMPLES), requests, toMebibytes(heapUsed), toMebibytes(rss)].join('\t'),
      )
    }
  }
  await Promise.all([look(), signInAndOut(), ...Array.from({ length: CONNECTIONS }, askOn)])
  agent.destroy()
  return { samples, requests, refused }
}

function growthIn(samples) {
  const third = Math.floor(samples.length / 3)
  const wrong = []
  for (const [name, most] of Object.entries(MOST_GROWTH)) {
    const values = samples.map((sample) => sample[name])
    const growth = median(values.slice(-third)) - median(values.slice(third, 2 * third))
    if (growth > most) wrong.push(`${name} grew by ${toMebibytes(growth)} MiB from the second third to the last`)
  }
  return wrong
}

/** What the app holds open, of each kind, more than before the load. */
async function leftOpen(app, before) {
  const until = performance.now() + SETTLE_WITHIN_MS
  for (;;) {
    const after = await app.measure()
    const more = Object.entries({ ...after.open, listeners: after.listeners })
      .map(([kind, count]) => [kind, count - ({ ...before.open, listeners: before.listeners }[kind] ?? 0)])
      .filter(([, count]) => count > 0)
    if (more.length === 0) return []
    if (performance.now() > until) return more.map(([kind, count]) => `${count} ${kind} left open`)
    await sleep(500)
  }
}

function toMebibytes(bytes) {
  return (bytes / MEBIBYTE).toFixed(1)
}
