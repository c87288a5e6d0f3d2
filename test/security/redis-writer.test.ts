import { randomBytes } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { isPlainObject } from '../../src/lib/guards.js'
import { beginAttempt } from '../support/attempts.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { COOKIES, startWorld, type World } from '../support/world.js'

const secrets = {
  sessionSecret: randomBytes(32).toString('base64url'),
  vaultKeys: `k1:${randomBytes(32).toString('base64')}`,
}

/** The session id in a signed cookie. */
function sessionIdIn(cookie: string | undefined): string {
  return /^s:([^.]+)\./.exec(decodeURIComponent(cookie ?? ''))?.[1] ?? ''
}

describeWithRedis('who can write to Redis', () => {
  async function worldOn(
    prefix: string,
  ): Promise<{ world: World; client: Awaited<ReturnType<typeof redisForTests>>['client'] }> {
    const redis = await redisForTests()
    const world = await startWorld({ options: { redis: redis.url, keyPrefix: prefix, ...secrets } })
    return { world, client: redis.client }
  }

  test('C25 a session blob under another session id signs nobody in, and stays JSON', async () => {
    const prefix = `blob-${randomBytes(4).toString('hex')}:`
    const { world, client } = await worldOn(prefix)
    const [alex, mina] = [await world.signedIn('alex'), await world.signedIn('mina')]
    const keys = await client.keys(`${prefix}*sess:*`)
    const keyOf = (cookie: string | undefined) => keys.find((key) => key.endsWith(`:${sessionIdIn(cookie)}`)) ?? ''
    const blob = await client.get(keyOf(alex.jar.get(COOKIES.session)))
    expect(isPlainObject(JSON.parse(blob ?? ''))).toBe(true)
    await client.set(keyOf(mina.jar.get(COOKIES.session)), blob ?? '')
    expect((await mina.visit(`${world.url}/me`)).status).toBe(302)
    expect((await alex.visit(`${world.url}/me`)).status).toBe(200)
    await world.close()
  })

  test('C25 an edited session blob is none', async () => {
    const prefix = `edit-${randomBytes(4).toString('hex')}:`
    const { world, client } = await worldOn(prefix)
    const alex = await world.signedIn('alex')
    const [key = ''] = await client.keys(`${prefix}*sess:*`)
    const blob = (await client.get(key)) ?? ''
    await client.set(key, blob.replace('"/me"', '"/em"').replace('/me"', '/em"'))
    expect((await alex.visit(`${world.url}/me`)).status).toBe(302)
    await client.set(key, blob)
    expect((await alex.visit(`${world.url}/me`)).status).toBe(200)
    await world.close()
  })

  test('C25 the outcome of an attempt, edited or another attempt’s, leads nowhere', async () => {
    const prefix = `outcome-${randomBytes(4).toString('hex')}:`
    const { world, client } = await worldOn(prefix)
    await world.signedIn('alex')
    const [victims = ''] = await client.keys(`${prefix}*:outcome`)
    const sealed = (await client.get(victims)) ?? ''
    const [record = ''] = await client.keys(`${prefix}*signin:*`)
    const id = record.slice(record.indexOf('{') + 1).replace('}:', '.')
    world.sandbox.control.set({ autoSignIn: 'mina' })
    for (const forged of [sealed, JSON.stringify({ signInId: id, returnTo: 'https://evil.example/' })]) {
      const mina = world.browser()
      const callback = await beginAttempt(world, mina)
      const again = mina.clone()
      await mina.visit(callback)
      for (const key of await client.keys(`${prefix}*:outcome`)) await client.set(key, forged, 'KEEPTTL')
      const joined = await again.visit(callback)
      expect([joined.status, joined.location]).toEqual([400, ''])
      expect((await again.visit(`${world.url}/me`)).status).toBe(302)
    }
    await world.close()
  })
})
