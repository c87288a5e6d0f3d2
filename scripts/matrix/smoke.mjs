/**
 * What every runtime must be able to do: sign in, guard, sign out, send a message, stop. Run by `scripts/matrix.mjs` on each of
 * them, with the versions of Express and ioredis to use in its environment.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { ppoppo } from 'express-ppoppo'

const { PORT, REDIS_URL, EXPRESS = 'express', IOREDIS = 'ioredis', KEY_PREFIX } = process.env
const require = createRequire(import.meta.url)
const express = require(EXPRESS)
const { Redis } = require(IOREDIS)

const baseUrl = `http://localhost:${PORT}`
const redis = new Redis(REDIS_URL ?? '')
const auth = ppoppo({ clientId: 'smoke_login_client', baseUrl, redis, keyPrefix: KEY_PREFIX ?? 'smoke:' })
const app = express()
app.use(auth)
app.get('/account', auth.requireSignIn(), (/** @type {any} */ req, /** @type {any} */ res) => res.json(req.ppoppo.user))
const server = app.listen(Number(PORT))
await once(server, 'listening')
await auth.ready()

/** @type {Map<string, string>} */
const jar = new Map()

/**
 * As a browser navigates; not with `fetch`, which says of itself that it is a script.
 * @param {string} url
 * @param {{ method?: string, headers?: Record<string, string> }} [options]
 * @returns {Promise<{ status: number, location: string, body: any }>}
 */
async function ask(url, { method = 'GET', headers = {} } = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const navigation = { accept: 'text/html', 'sec-fetch-mode': 'navigate', cookie }
  const call = request(url, { method, headers: { ...navigation, ...headers }, agent: false }).end()
  const [answer] = await once(call, 'response')
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk
  for (const line of answer.headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    jar.set(name, value)
  }
  const isJson = /json/.test(answer.headers['content-type'] ?? '')
  const location = new URL(answer.headers.location ?? '', url).href
  return { status: answer.statusCode, location, body: isJson ? JSON.parse(text) : text }
}

let answer = await ask(`${baseUrl}/account`)
for (let step = 0; step < 10 && answer.status >= 300 && answer.status < 400; step += 1)
  answer = await ask(answer.location)
equal(answer.status, 200)
equal(answer.body.ppnum, '77700000001')

const recipients = [{ ppnum: '12300000001', vars: { name: 'Alex' } }]
ok((await auth.messaging.send({ templateId: 'tpl_sandbox_welcome', recipients })).id)

const signOut = await ask(`${baseUrl}/auth/logout`, { method: 'POST', headers: { origin: baseUrl } })
ok(signOut.status < 400, `sign-out answered ${signOut.status}`)
const after = await ask(`${baseUrl}/account`, { headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' } })
deepEqual([after.status, after.body.code], [401, 'signed_out'])

await auth.close()
redis.disconnect()
server.close()
console.log('smoke: ok')
