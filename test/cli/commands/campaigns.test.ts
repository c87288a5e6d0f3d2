import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { run } from '../../../src/cli/commands.js'
import {
  type CampaignWorld,
  people,
  startCampaignWorld,
  TEMPLATE_ID,
  VAULT_KEY,
} from '../../campaigns/support/world.js'
import { describeWithRedis, redisForTests } from '../../support/redis.js'

jest.setTimeout(60_000)

describeWithRedis('express-ppoppo campaigns', () => {
  let world: CampaignWorld
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    const redis = await redisForTests()
    world = await startCampaignWorld(redis.url, redis.prefix())
    env = { REDIS_URL: redis.url, PPOPPO_VAULT_KEYS: VAULT_KEY }
    await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(1_200) })
  })
  afterAll(() => world.close())

  async function call(line: string, given = env): Promise<{ code: number; out: string; error: string }> {
    const [out, errors]: [string[], string[]] = [[], []]
    const io = {
      print: (one: string) => out.push(one),
      printError: (one: string) => errors.push(one),
      env: given,
      now: () => new Date(),
    }
    const prefix = line.includes('--help') ? [] : ['--key-prefix', world.prefix]
    const code = await run(['campaigns', ...line.split(' ').filter(Boolean), ...prefix], io as never)
    return { code, out: out.join('\n'), error: errors.join('\n') }
  }

  test('list and show print state, a bar and counts, and JSON on demand', async () => {
    const { code, out } = await call('list')
    expect(code).toBe(0)
    expect(out).toMatch(/^autumn {2}running {2}\[-{30}\] 0 %\n.*total 1,200, accepted 0, .*left 1,200/)
    expect(JSON.parse((await call('show autumn --json')).out)).toMatchObject({
      id: 'autumn',
      state: 'running',
      total: 1_200,
    })
  })

  test('pause, resume and cancel do so', async () => {
    expect((await call('pause autumn')).out).toContain('autumn  paused')
    expect((await call('resume autumn')).out).toContain('autumn  running')
    expect((await call('cancel autumn')).out).toContain('autumn  cancelled')
  })

  test('a wrong id, wrong words and a missing variable are clear errors', async () => {
    expect(await call('show winter')).toMatchObject({
      code: 1,
      error: expect.stringContaining('There is no campaign winter'),
    })
    expect((await call('stop autumn')).code).toBe(2)
    expect((await call('list extra')).code).toBe(2)
    expect(await call('list', {})).toMatchObject({ code: 2, error: expect.stringContaining('REDIS_URL is not set') })
    expect((await call('--help')).out).toContain('Usage: express-ppoppo campaigns')
  })

  test('a Redis that is away is a clear error', async () => {
    const { code, error } = await call('list', { ...env, REDIS_URL: 'redis://127.0.0.1:1' })
    expect(code).toBe(1)
    expect(error).toContain('Redis at 127.0.0.1:1 refuses connections')
  })
})
