import { afterAll, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import type { PpoppoOptions } from '../../src/index.js'
import { isSignedIn } from '../support/attempts.js'
import { createClock, DAY } from '../support/clock.js'
import { describeWithRedis, redisForTests } from '../support/redis.js'
import { startWorld, type World } from '../support/world.js'

const OLD = 'uN3xP8vQ2kL7wZ5tR9yB4mC6dF1gH0jK'
const NEW = 'aS9dF3gH7jK1lQ5wE8rT2yU6iO0pZ4xC'

describeWithRedis('docs/operations.md: replacing a session secret', () => {
  const clock = createClock()
  const worlds: World[] = []
  let sandbox: Sandbox | undefined
  let store: PpoppoOptions | undefined

  /** The app with these secrets, over the same Redis. */
  async function deploy(...sessionSecret: string[]): Promise<World> {
    if (!store) {
      const redis = await redisForTests()
      store = { redis: redis.url, keyPrefix: redis.prefix() }
    }
    sandbox ??= await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
    const world = await startWorld({ options: { ...store, sessionSecret }, sandbox, runtime: clock.runtime })
    worlds.push(world)
    return world
  }
  afterAll(async () => {
    for (const world of worlds) await world.close()
    await sandbox?.close()
  })

  test('in three deploys, with idleMs between the last two, nobody who visits in between is signed out', async () => {
    const before = await deploy(OLD)
    const [regular, absent] = [await before.signedIn(), await before.signedIn()]

    const first = await deploy(OLD, NEW)
    expect((await regular.visit(`${first.url}/me`)).status).toBe(200)

    const second = await deploy(NEW, OLD)
    clock.advance(8 * DAY)
    const renewed = await regular.visit(`${second.url}/me`)
    expect(renewed.status).toBe(200)
    expect(renewed.cookies).toHaveLength(1)

    const third = await deploy(NEW)
    expect((await regular.visit(`${third.url}/me`)).status).toBe(200)
    // Why one waits for idleMs: a cookie that was not renewed since is still signed with the old secret.
    expect(await isSignedIn(third, absent)).toBe(false)
    expect(await isSignedIn(second, absent)).toBe(true)
    clock.advance(23 * DAY)
    expect(await isSignedIn(second, absent)).toBe(false)
    expect(await isSignedIn(third, regular)).toBe(true)
  })
})
