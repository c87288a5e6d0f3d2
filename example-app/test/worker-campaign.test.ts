import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithOwnRedis, type RedisServer, startRedis } from '../../test/support/redis.js'
import { list, numbersFrom, received, run, TEMPLATE, useWorker } from './worker-support.js'

useWorker()

describeWithOwnRedis('the worker with Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())

  test('sends a list as a campaign, once, and finishes in one way what was begun in it', async () => {
    const env = { REDIS_URL: redis.url, CAMPAIGNS_PER_MINUTE: '6000' }
    const file = list('people 1.csv', ['ppnum,name', ...numbersFrom(0, 2_500).map((ppnum) => `${ppnum},A`)])
    const command = [file, '--template', TEMPLATE]
    const [one, other] = await Promise.all([run(command, env), run(command, env)]) // two workers share the work
    expect([one.code, other.code]).toEqual([0, 0])
    expect(one.output).toContain('accepted 2,500 · rejected 0 · unknown 0 · not sent 0')
    expect(one.errors).toContain('Campaign people-1.csv: finished')
    expect(received().sort()).toEqual(numbersFrom(0, 2_500))
    expect(await run(command)).toMatchObject({
      code: 2,
      errors: 'this list is the campaign people-1.csv: set REDIS_URL to go on with it\n',
    })
    expect((await run([...command, '--start-over'], env)).errors).toContain('give it another name')
    list('people 1.csv', ['ppnum,name', '12310000000,B'])
    expect(await run(command, env)).toMatchObject({ code: 2, errors: expect.stringContaining('--campaign <name>') })
    const begun = list('begun.csv', ['ppnum', ...numbersFrom(5_000, 3)])
    await run([begun, '--template', TEMPLATE])
    expect((await run([begun, '--template', TEMPLATE], env)).output).toContain('This list is done.')
    expect(received()).toHaveLength(2_503)
  })
})
