import { Agent, request } from 'node:http'
import { startApp } from '../lib/app.mjs'
import { createBrowser, signIn } from '../lib/browser.mjs'
import { startOwnRedis } from '../lib/own-redis.mjs'
import { startPas } from '../lib/pas.mjs'
import { clientOf } from '../lib/redis.mjs'
import { makeRequest } from './make-request.mjs'
import { FuzzReport } from './report.mjs'

const AT_ONCE = 16
const ANSWER_WITHIN_MS = 20_000
/** Memory is compared from this share of the requests on: compiled code and caches have grown by then. */
const WARM_SHARE = 0.3

/** Sends the requests that a seed makes, and says which answers were wrong. @returns {Promise<number>} exit code */
export async function runFuzz({ requests, seed, from }) {
  console.log(`seed ${seed}, ${requests} requests`)
  const redis = await startOwnRedis()
  const pas = await startPas()
  const app = await startApp('ours', { redisUrl: redis.url, issuer: pas.issuer, clientId: 'fuzz_login_client' })
  const client = clientOf(redis.url)
  try {
    const cookie = await signIn(app.url)
    const settledBefore = await client.settledMemory()
    const report = new FuzzReport({ seed, requests, sessionCookie: cookie.slice(0, cookie.indexOf('=')) })
    const sendRange = (first, end) => sendAll({ first, end, seed, target: { url: app.url, cookie }, report })
    const warmUntil = from + Math.floor(requests * WARM_SHARE)
    await sendRange(from, warmUntil)
    const before = await app.measure()
    await sendRange(warmUntil, from + requests)
    report.noteMemory(before, await app.measure())
    report.noteStored(settledBefore, await client.settledMemory())
    const { status } = await createBrowser({ cookie }).visit(`${app.url}/me`)
    report.noteSignedIn(status)
    return report.print()
  } finally {
    client.end()
    await app.end()
    await pas.end()
    await redis.end()
  }
}

async function sendAll({ first, end, seed, target, report }) {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  let next = first
  const one = async () => {
    while (next < end) {
      const number = next
      next += 1
      const asked = makeRequest(seed, number, target)
      report.note(number, asked, await send(target.url, asked, agent))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  agent.destroy()
}

/** @returns {Promise<{ status: number, headers: object, text: string }>} status 0: no answer, `text` says why */
function send(url, { method, path, headers, body }, agent) {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const failed = (error) => resolve({ status: 0, headers: {}, text: error.message })
    const asking = request({ hostname, port, method, path, headers, agent, setHost: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.once('error', failed)
      answer.once('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }))
    })
    asking.setTimeout(ANSWER_WITHIN_MS, () => asking.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)))
    asking.once('error', failed)
    asking.end(body)
  })
}
