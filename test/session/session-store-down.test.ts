import { expect, test } from '@jest/globals'
import type { Express, NextFunction, Request, Response } from 'express'
import { isSignedIn } from '../support/attempts.js'
import { timed } from '../support/clock.js'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../support/redis.js'
import { stays, until } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const SECRETS = { sessionSecret: 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK' }
let release = (): void => {}
let inside = (): void => {}

/** Errors that reached the app after its answer had left. */
const afterwards: unknown[] = []

function routes(app: Express): void {
  app.get('/write', (req, res) => {
    Object.assign(req.session, { basket: ['lost'] })
    res.json(Reflect.get(req.session, 'basket'))
  })
  app.get('/write-slowly', async (req, res) => {
    const opened = new Promise<void>((resolve) => {
      release = resolve
    })
    inside()
    Object.assign(req.session, { basket: ['lost'] })
    await opened
    const saved = req.query['quiet'] ? '' : await new Promise((resolve) => void req.session.save(resolve))
    res.json({ refused: Reflect.get(Object(saved), 'code'), status: req.ppoppo.status })
  })
  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (!res.headersSent) return next(error)
    afterwards.push(error)
  })
}

async function withRedis(
  work: (world: World, redis: RedisServer) => Promise<void>,
  more: Parameters<typeof startWorld>[0] = {},
): Promise<void> {
  const redis = await startRedis()
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  const world = await startWorld({ routes, ...more, options: { redis: redis.url, ...SECRETS, ...more.options } })
  try {
    await work(world, redis)
    await stays(() => unhandled.length === 0, 'nothing is unhandled', 50)
    expect(afterwards.splice(0)).toEqual([])
  } finally {
    process.off('unhandledRejection', onUnhandled)
    redis.resume()
    await world.close()
    await redis.stop()
  }
}

async function untilSignedIn(world: World, browser: ReturnType<World['browser']>, limitMs: number): Promise<void> {
  const { tookMs } = await timed(() => until(() => isSignedIn(world, browser), 'the person is signed in again'))
  expect(tookMs).toBeLessThan(limitMs)
}

describeWithOwnRedis('C37 Redis fails while somebody is signed in', () => {
  test.each(['killed', 'stopped'])(
    'C37 %s: guarded pages 503, public ones served, the cookie stays, and all is well again',
    (how) =>
      withRedis(async (world, redis) => {
        const browser = await world.signedIn()
        await browser.visit(`${world.url}/basket?add=apple`)
        const jar = [...browser.jar]
        if (how === 'killed') await redis.kill()
        else redis.pause()

        for (const [path, status, accept] of [
          ['/page', 503, 'text/html'],
          ['/me', 503, 'application/json'],
          ['/', 200, 'text/html'],
          ['/auth/session', 503, '*/*'],
          ['/write', 200, '*/*'],
        ] as const) {
          const { result, tookMs } = await timed(() =>
            browser.visit(`${world.url}${path}`, { headers: { Accept: accept } }),
          )
          expect([path, result.status, result.cookies]).toEqual([path, status, []])
          expect(tookMs).toBeLessThan(2_000)
          if (status === 503) expect(result.headers.get('retry-after')).toMatch(/^\d+$/)
          if (path === '/') expect(result.text).toBe('home unavailable')
          if (path === '/write') expect(result.text).toBe('["lost"]')
        }
        // A visitor without a cookie, and an app that writes: a page, and nothing else happens.
        const visitor = world.browser()
        const { result, tookMs } = await timed(() => visitor.visit(`${world.url}/write`))
        expect([result.status, result.text]).toEqual([200, '["lost"]'])
        expect(tookMs).toBeLessThan(2_500)
        expect([...browser.jar]).toEqual(jar)

        if (how === 'stopped') {
          redis.resume()
          await untilSignedIn(world, browser, 2_000)
          expect(JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket).toEqual(['apple'])
        } else {
          // It kept nothing: a calm sign-out of everyone.
          await redis.restart()
          const { result: status, tookMs } = await timed(() =>
            until(async () => {
              const { status } = await browser.visit(`${world.url}/page`)
              return status === 503 ? undefined : status
            }),
          )
          expect(status).toBe(302)
          expect(tookMs).toBeLessThan(2_000)
          expect((await browser.go(`${world.url}/page`)).status).toBe(200)
        }
        expect((await visitor.visit(`${world.url}/basket?add=pear`)).status).toBe(200)
        expect(JSON.parse((await visitor.visit(`${world.url}/basket`)).text).basket).toEqual(['pear'])
      }),
  )

  test('C37 a request that could not read its session does not save it, even if Redis is back before it ends', () =>
    withRedis(async (world, redis) => {
      const browser = await world.signedIn()
      await browser.visit(`${world.url}/basket?add=apple`)
      redis.pause()
      const entered = new Promise<void>((resolve) => {
        inside = resolve
      })
      const answering = browser.visit(`${world.url}/write-slowly`)
      await entered
      redis.resume()
      await untilSignedIn(world, browser.clone(), 2_000)
      release()
      const answer = await answering
      expect([answer.status, answer.cookies]).toEqual([200, []])
      expect(JSON.parse(answer.text)).toEqual({ refused: 'store_unavailable', status: 'unavailable' })
      expect(await isSignedIn(world, browser)).toBe(true)
      expect(JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket).toEqual(['apple'])
    }))

  test('C37 Redis that goes away between reading and saving breaks no page, and raises an event', () =>
    withRedis(async (world, redis) => {
      const browser = await world.signedIn()
      const entered = new Promise<void>((resolve) => {
        inside = resolve
      })
      const answering = browser.visit(`${world.url}/write-slowly?quiet=1`)
      await entered
      redis.pause()
      release()
      const answer = await answering
      expect([answer.status, answer.cookies]).toEqual([200, []])
      expect(world.events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'session_not_saved' }))
      redis.resume()
      await untilSignedIn(world, browser, 2_000)
    }))

  test('C37 in development, a Redis that is down at startup and should hold the secret costs nobody a cookie', async () => {
    const redis = await startRedis()
    const make = () => startWorld({ routes, options: { redis: redis.url } })
    const before = await make()
    const browser = await before.signedIn()
    await before.close()
    redis.pause()
    const after = await make()
    try {
      const guarded = await browser.visit(`${after.url}/page`)
      expect([guarded.status, guarded.cookies]).toEqual([503, []])
      const written = await browser.visit(`${after.url}/write`)
      expect([written.status, written.cookies]).toEqual([200, []])
      redis.resume()
      await untilSignedIn(after, browser, 3_000)
    } finally {
      redis.resume()
      await after.close()
      await redis.stop()
    }
  })
})

describeWithOwnRedis('C25 session blobs that are not what we wrote', () => {
  test.each(['{', 'null', '[]', '"x"', '{}', '{"cookie":null}', '{"cookie":{}}', '1'])(
    'C25 a blob of %s is no session: signed out, no error, and a new one takes its place',
    (blob) =>
      withRedis(async (world, redis) => {
        const browser = await world.signedIn()
        const { Redis } = await import('ioredis')
        const client = new Redis(redis.url)
        const [key = ''] = await client.keys('*:sess:*')
        await client.set(key, blob, 'EX', 1000)
        client.disconnect()
        expect((await browser.visit(`${world.url}/`)).text).toBe('home signed-out')
        expect((await browser.go(`${world.url}/page`)).status).toBe(200)
      }),
  )

  test.each(['x', '.', 'a.b', '{}', 'tag.}:*', 7])('C25 a pointer to %j leads nowhere', (signInId) =>
    withRedis(
      async (world) => {
        const browser = world.browser()
        await browser.visit(`${world.url}/point?to=${encodeURIComponent(JSON.stringify(signInId))}`)
        expect((await browser.visit(`${world.url}/`)).text).toBe('home signed-out')
        const post = { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } }
        expect((await browser.visit(`${world.url}/auth/logout`, post)).status).toBe(303)
      },
      {
        routes: (app) => {
          app.get('/point', async (req, res) => {
            const { pointerKey } = await import('../../src/session/pointer.js')
            const pointer = { signInId: JSON.parse(String(req.query['to'])), returnTo: '/' }
            Object.assign(req.session, { [pointerKey('test_login_client')]: pointer })
            res.send('set')
          })
        },
      },
    ),
  )
})
