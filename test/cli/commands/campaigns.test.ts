import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { campaigns } from '../../../src/cli/commands/campaigns.js'
import { run } from '../../../src/cli/commands.js'
import {
  type CampaignWorld,
  people,
  startCampaignWorld,
  TEMPLATE_ID,
  VAULT_KEY,
} from '../../campaigns/support/world.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../../support/redis.js'
import { until } from '../../support/until.js'

describeWithRedis('express-ppoppo campaigns', () => {
  let redis: TestRedis
  let world: CampaignWorld
  let env: NodeJS.ProcessEnv
  beforeAll(async () => {
    redis = await redisForTests()
    world = await startCampaignWorld(redis.url, redis.prefix())
    env = { REDIS_URL: redis.url, PPOPPO_VAULT_KEYS: VAULT_KEY }
    await world.open().create({ id: 'autumn', templateId: TEMPLATE_ID, recipients: people(1_200) })
  })
  afterAll(() => world.close())

  let drawn: string[]
  async function call(
    line: string,
    given = env,
    isTerminal = false,
  ): Promise<{ code: number; out: string; error: string }> {
    drawn = []
    const [out, errors]: [string[], string[]] = [[], []]
    const io = {
      print: (one: string) => out.push(one),
      printError: (one: string) => errors.push(one),
      env: given,
      now: () => new Date(),
      ...(isTerminal && { redraw: (one: string) => drawn.push(one) }),
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

  test('show --watch draws a bar on a terminal, and prints lines or JSON elsewhere, until the campaign has ended', async () => {
    await world.open().create({ id: 'winter', templateId: TEMPLATE_ID, recipients: people(4_500) })
    const watching = Promise.all([call('show winter --watch --json'), call('show winter --watch')])
    const onTerminal = call('show winter --watch', env, true)
    await until(() => drawn.length > 0)
    const worker = world.open()
    worker.work()
    const [json, lines] = await watching
    const { code, out } = await onTerminal
    await worker.close()
    expect([json.code, lines.code, code]).toEqual([0, 0, 0])
    const seen = json.out.split('\n').map((line) => JSON.parse(line))
    expect(seen[0]).toMatchObject({ state: 'running', left: 4_500 })
    expect(seen.at(-1)).toMatchObject({ state: 'finished', accepted: 4_500 })
    expect(lines.out.split('\n')[0]).toBe(`winter [${'-'.repeat(30)}] 0 % running`)
    expect(lines.out.split('\n').at(-1)).toBe(`winter [${'#'.repeat(30)}] 100 % finished`)
    expect(drawn[0]).toMatch(/^winter \[-{30}\] 0 % running/)
    expect(drawn.at(-1)).toBe('')
    expect(out).toMatch(/^winter {2}finished {2}\[#{30}\] 100 %\n.*accepted 4,500/)
    expect((await call('list --watch')).code).toBe(2)
    expect((await call('pause winter --watch')).code).toBe(2)
  })

  test('says why a campaign has stopped, or rests', async () => {
    await world.open().create({ id: 'spring', templateId: TEMPLATE_ID, recipients: people(1_500) })
    world.pcs.refuse = () => ({ code: 7, details: 'app is suspended' })
    const worker = world.open()
    worker.work()
    const stopped = await until(async () => {
      const { out } = await call('show spring')
      return out.includes('spring  stopped') ? out : undefined
    })
    expect(stopped).toMatch(/\n {4}permission_denied: .+/)
    world.pcs.refuse = () => ({ code: 8, details: 'too many', trailers: { 'retry-after-ms': '15000' } })
    await call('resume spring')
    const resting = await until(async () => {
      const { out } = await call('show spring')
      return out.includes('spring  resting') ? out : undefined
    })
    expect(resting).toMatch(/\n {4}rate_limited until 20\d\d-[^ ]+Z: Ppoppo asked to wait\./)
    await call('cancel spring')
    await worker.close()
  })

  test('an unknown id, and one of a newer version of the library, are clear errors; list shows the others', async () => {
    expect(await call('show a/b')).toMatchObject({
      code: 1,
      error: expect.stringContaining('"id" must be 1 to 100 of'),
    })
    await world.open().create({ id: 'newer', templateId: TEMPLATE_ID, recipients: people(3) })
    const one = (id: string) => `{${world.prefix}campaigns}:one:${id}:meta`
    await redis.client.hset(one('newer'), 'v', '2')
    for (const action of ['show', 'pause', 'show --watch']) {
      expect(await call(`${action} newer`)).toMatchObject({
        code: 1,
        error: expect.stringMatching(/The campaign newer was made by a newer version of express-ppoppo\. Update/),
      })
    }
    // And one whose create() died an hour ago: Redis has forgotten it, and only its name is left.
    await redis.client.zadd(`{${world.prefix}campaigns}:all`, Date.now(), 'forgotten')
    const { code, out, error } = await call('list')
    expect(code).toBe(0)
    expect(out).toContain('autumn')
    expect(out).not.toMatch(/newer|forgotten/)
    expect(error).toContain('The campaign newer was made by a newer version')
  })

  test.each([
    ['6.3.2', /Campaigns need bullmq 6\.3\.3 or newer, below 7, and found 6\.3\.2.*npm install bullmq@6/],
    ['7.0.0', /found 7\.0\.0/],
    ['6.3.3', /^$/],
    [undefined, /^$/],
  ])('with bullmq %s says whether the workers can have it, and shows all the same', async (version, words) => {
    const errors: string[] = []
    const io = { print: () => {}, printError: (one: string) => errors.push(one), env, now: () => new Date() }
    expect(await campaigns(['show', 'autumn', '--key-prefix', world.prefix], io as never, () => version)).toBe(0)
    expect(errors.join('\n')).toMatch(words)
  })
})
