import { afterEach, describe, expect, test } from '@jest/globals'
import express from 'express'
import { Redis } from 'ioredis'
import { ppoppo } from '../src/index.js'
import { describeWithRedis, redisForTests, type TestRedis } from './support/redis.js'
import { startWorld, type World } from './support/world.js'

let world: World | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
})

describe('ppoppo()', () => {
  test('C46 after close() every part says so to the error handler of the app, also to someone signed in', async () => {
    world = await startWorld()
    const browser = await world.signedIn()
    await world.auth.close()
    await world.auth.close()
    for (const path of ['/', '/me', '/auth/login', '/auth/session', '/auth/callback']) {
      const answer = await browser.visit(world.url + path)
      expect([path, answer.status, JSON.parse(answer.text).code]).toEqual([path, 503, 'closed'])
    }
  })

  test.each(['session', 'middleware', 'router'] as const)(
    'C46 after close() auth.%s alone says so, too',
    async (part) => {
      world = await startWorld({
        mount: (app, auth) => {
          app.use(auth[part])
          app.use((_req, res) => void res.send('passed'))
        },
      })
      await world.auth.close()
      const answer = await world.browser().visit(`${world.url}/auth/session`)
      expect([answer.status, JSON.parse(answer.text).code]).toEqual([503, 'closed'])
    },
  )

  test('names of its handlers read well in a stack trace', () => {
    const auth = ppoppo({ clientId: 'names_login_client', baseUrl: 'http://localhost:3000' })
    expect([auth.name, auth.session.name, auth.middleware.name, auth.router.name, auth.requireSignIn().name]).toEqual([
      'ppoppo',
      'ppoppoSession',
      'ppoppoMiddleware',
      'ppoppoRouter',
      'requireSignIn',
    ])
    return auth.close()
  })

  test('an odd handler further on that throws reaches next(error), not the process', async () => {
    world = await startWorld({
      mount: (app, auth) => {
        app.use(auth)
        app.use('/throws', () => {
          throw Object.assign(new Error('mine'), { status: 418 })
        })
      },
    })
    const browser = await world.signedIn()
    const answer = await browser.visit(`${world.url}/throws`)
    expect([answer.status, JSON.parse(answer.text).message]).toEqual([418, 'mine'])
  })

  test('the same instance serves two apps', async () => {
    world = await startWorld()
    const browser = await world.signedIn()
    const other = express()
    other.use(world.auth)
    other.get('/', (req, res) => void res.send(req.ppoppo.status))
    world.app.use('/other', other)
    expect((await browser.visit(`${world.url}/other/`)).text).toBe('signed-in')
  })
})

describeWithRedis('ppoppo() with a Redis client passed in', () => {
  test('C46 close() leaves the client open, and no connection of its own', async () => {
    const redis: TestRedis = await redisForTests()
    const client = new Redis(redis.url)
    world = await startWorld({ options: { redis: client, keyPrefix: redis.prefix() } })
    await world.signedIn()
    const before = await connections(redis.client)
    await world.auth.close()
    expect(await client.ping()).toBe('PONG')
    expect(client.status).toBe('ready')
    expect(await connections(redis.client)).toBe(before - 1)
    client.disconnect()
  })
})

async function connections(redis: Redis): Promise<number> {
  return String(await redis.client('LIST'))
    .trim()
    .split('\n').length
}
