import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { MessagingOptions } from '../../src/index.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { until } from '../support/until.js'
import { startWorld } from '../support/world.js'

const PAGE = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const [, RIGHTS = ''] = /^ACL SETUSER ppoppo on >password (.*)$/m.exec(PAGE) ?? []

describeWithRedis('docs/operations.md: the Redis user it describes', () => {
  test('may do all that ready(), sign-in, sign-out everywhere, a consumer with fan-out and its dead letters need', async () => {
    const redis = await redisForTests()
    const prefix = redis.prefix()
    const user = `ppoppo-${process.pid}`
    const rights = RIGHTS.replace('~ppoppo:*', `~${prefix}*`).split(' ')
    expect(rights.length).toBeGreaterThan(30)
    await redis.client.call('ACL', 'SETUSER', user, 'on', '>password', ...rights)
    const url = new URL(redis.url)
    url.username = user
    url.password = 'password'
    const world = await startWorld({
      options: { redis: url.href, keyPrefix: prefix },
      sandbox: { pcsPort: 0, pcsStepMs: 10, accessTokenTtlSeconds: 1 },
    })
    const { url: apiUrl = '', tokenUrl = '', clientId = '', clientSecret = '' } = world.sandbox.pcs ?? {}
    const credentials: MessagingOptions = { apiUrl, tokenUrl, clientId, clientSecret }
    try {
      await world.auth.ready()
      const browser = await world.signedIn()
      // The token has a second to live, so this renews it, under a lease.
      expect((await browser.visit(`${world.url}/userinfo`)).status).toBe(200)
      expect((await browser.visit(`${world.url}/auth/session`)).text).toContain('"signedIn":true')
      await expectDeliveries(credentials, { redis: url.href, keyPrefix: prefix })
      const out = await browser.visit(`${world.url}/auth/logout`, { method: 'POST', form: { everywhere: '1' } })
      expect(out.status).toBe(303)
      expect((await browser.visit(`${world.url}/auth/session`)).text).toContain('"signedIn":false')
      expect(await denialsOf(user)).toEqual([])
    } finally {
      await world.close()
      await redis.client.call('ACL', 'DELUSER', user)
    }

    /** What was refused to this user, but for what the page says is optional. */
    async function denialsOf(name: string): Promise<readonly unknown[]> {
      const log = (await redis.client.call('ACL', 'LOG')) as unknown[][]
      const entries = log.map((row) => Object.fromEntries(pairs(row)))
      return entries
        .filter(({ username, object }) => username === name && object !== 'config|get')
        .map(({ object, reason }) => `${reason}: ${object}`)
    }
  })
})

function pairs(row: readonly unknown[]): (readonly [string, unknown])[] {
  return row.flatMap((value, index) => (index % 2 === 0 ? [[String(value), row[index + 1]] as const] : []))
}

async function expectDeliveries(credentials: MessagingOptions, store: MessagingOptions): Promise<void> {
  const { createMessaging } = await import('../../src/messaging/index.js')
  const messaging = createMessaging({ ...credentials, ...store })
  try {
    for (const fanOut of [false, true]) {
      const name = `rights-${fanOut}`
      const seen: string[] = []
      let arrived = (): void => {}
      const isThere = new Promise<void>((resolve) => {
        arrived = resolve
      })
      const consumer = messaging.consume({
        name,
        fanOut,
        maxAttempts: 1,
        handler: ({ type }) => {
          seen.push(type)
          if (type === 'request_completed') arrived()
          if (type === 'recipient_delivered') throw new Error('a dead letter')
        },
      })
      const recipients = [{ ppnum: '12300000001', vars: { name: 'Alex' } }]
      await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients })
      await Promise.race([isThere, consumer.closed])
      const letters = messaging.deadLetters(name)
      await until(async () => (await letters.count()) > 0)
      // Before that, an earlier send's event may still become another one.
      await consumer.stop()
      await letters.replay(() => {})
      expect(await letters.count()).toBe(0)
      expect(seen).toContain('recipient_delivered')
    }
  } finally {
    await messaging.close()
  }
}
