import { once } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import {
  insertAt,
  journal,
  list,
  numbersFrom,
  received,
  run,
  sandbox,
  start,
  TEMPLATE,
  useWorker,
} from './worker-support.js'

useWorker()

describe('the worker', () => {
  test('sends to each number of a list once, with the other columns as vars', async () => {
    const rows = ['ppnum,name,city', '123-1000-0000,"Kim, Alex",Seoul', '12310000001,Mina,Busan', '12310000000,Twice,x']
    const file = list('people.csv', rows)
    const { code, output, errors } = await run([file, '--template', TEMPLATE])
    expect({ code, errors }).toEqual({ code: 0, errors: '0 % · 0 of 2 accepted\n100 % · 2 of 2 accepted\n' })
    expect(output).toContain('people.csv: 2 numbers, 1 of them more than once\n')
    expect(output).toContain('accepted 2 · rejected 0 · unknown 0 · not sent 0 · duplicates 1\n')
    expect(sandbox.control.pcs.sends).toMatchObject([
      {
        templateId: TEMPLATE,
        recipients: [
          { ppnum: '12310000000', vars: { name: 'Kim, Alex', city: 'Seoul' } },
          { ppnum: '12310000001', vars: { name: 'Mina', city: 'Busan' } },
        ],
      },
    ])
    expect(journal(file)).toMatchObject({ isDone: true, chunks: [{ outcome: 'accepted', recipients: 2 }] })
  })

  test('sends nothing twice when it is run again, unless asked to', async () => {
    const file = list('people.csv', ['ppnum', ...numbersFrom(0, 5)])
    await run([file, '--template', TEMPLATE])
    const again = await run([file, '--template', TEMPLATE])
    expect(again.code).toBe(0)
    expect(again.output).toContain('This list is done.')
    expect(received()).toHaveLength(5)
    expect((await run([file, '--template', TEMPLATE, '--start-over'])).code).toBe(0)
    expect(received()).toHaveLength(10)
  })

  test('reports a bad row by its line before it sends anything, and skips it if allowed to', async () => {
    const numbers = numbersFrom(0, 2_500)
    const file = list(
      'people.csv',
      insertAt(1_501, '12-oops,B', ['ppnum,name', ...numbers.map((ppnum) => `${ppnum},A`)]),
    )
    const stopped = await run([file, '--template', TEMPLATE])
    expect(stopped.code).toBe(2)
    expect(stopped.output).toContain('line 1502: "12-oops" is not a Ppoppo number (11 digits or more)\n')
    expect(stopped.output).toContain('1 bad row. Nothing was sent')
    expect(received()).toEqual([])

    expect((await run([file, '--template', TEMPLATE, '--skip-bad'])).code).toBe(0)
    expect(received().sort()).toEqual(numbers)
    expect(sandbox.control.pcs.sends.map(({ total }) => total).sort()).toEqual([1_000, 1_000, 500])
  })

  test('stops in good order at Ctrl-C, and then sends exactly the rest', async () => {
    const numbers = numbersFrom(0, 2_500)
    const file = list('people.csv', insertAt(700, 'bad,B', ['ppnum,name', ...numbers.map((ppnum) => `${ppnum},A`)]))
    const command = [file, '--template', TEMPLATE, '--skip-bad', '--chunk-size', '100', '--concurrency', '1']
    const fault = { kind: 'delay', delayMs: 300 } as const
    sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 'until-cleared', fault })
    const { child, errors, ended } = start(command)
    while (!errors().includes('accepted\n') || !/[1-9]\d* % ·/.test(errors())) await once(child, 'said')
    child.kill('SIGINT')
    const first = await ended
    expect(first.code).toBe(130)
    expect(first.output).toContain('To resume, run the same command again.')
    expect(first.output).toContain('unknown 0')
    const soFar = received().length
    expect(soFar).toBeGreaterThan(0)
    expect(soFar).toBeLessThan(2_500)
    expect(journal(file)).toMatchObject({ isDone: false, resumeFrom: soFar / 100 })

    sandbox.control.pcs.clearFaults()
    const second = await run(command)
    expect(second.code).toBe(0)
    expect(second.errors).toContain(`Resuming where the last run stopped: ${soFar.toLocaleString('en')} were accepted.`)
    expect(second.output).toContain('accepted 2,500 · rejected 0 · unknown 0 · not sent 0')
    expect(received()).toEqual(numbers)
  })

  test('after it was killed goes on from its file, and may repeat what was under way at most', async () => {
    const numbers = numbersFrom(0, 2_500)
    const file = list('people.csv', ['ppnum', ...numbers])
    const command = [file, '--template', TEMPLATE, '--chunk-size', '100', '--concurrency', '2']
    const fault = { kind: 'delay', delayMs: 300 } as const
    sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 'until-cleared', fault })
    const { child, errors, ended } = start(command)
    while (!/[1-9]\d* % ·/.test(errors())) await once(child, 'said')
    child.kill('SIGKILL')
    await ended
    sandbox.control.pcs.clearFaults()
    expect((await run(command)).code).toBe(0)
    expect([...new Set(received())].sort()).toEqual(numbers)
    expect(received().length).toBeLessThanOrEqual(2_500 + 2 * 100)
  })

  test('does not retry chunks with an unknown outcome, and says how many there are', async () => {
    const file = list('people.csv', ['ppnum', ...numbersFrom(0, 300)])
    const command = [file, '--template', TEMPLATE, '--chunk-size', '100', '--concurrency', '1']
    const fault = { kind: 'drop', afterProcessing: true } as const
    sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 1, fault })
    const { code, output } = await run(command)
    expect(code).toBe(1)
    expect(output).toContain('accepted 200 · rejected 0 · unknown 100')
    expect((await run(command)).code).toBe(1)
    expect(received()).toHaveLength(300)
  })

  test('stops where every chunk would fail, and says why in one line', async () => {
    const file = list('people.csv', ['ppnum', ...numbersFrom(0, 300)])
    const { code, errors, output } = await run([file, '--template', 'tpl_nobody', '--chunk-size', '100'])
    expect(code).toBe(1)
    expect(errors).toMatch(
      /^It stopped because: send: it does not exist, or belongs to another app: template "tpl_nobody" does not exist/m,
    )
    expect(output).toContain('To resume, run the same command again.')
    const wrongSecret = { PAS_PCS_CLIENT_ID: 'sandbox_external_client', PAS_PCS_CLIENT_SECRET: 'wrong' }
    const refused = await run([file, '--template', TEMPLATE, '--start-over'], wrongSecret)
    expect(refused.code).toBe(1)
    expect(refused.output).toMatch(/^ {2}chunk 0 was rejected: .*PAS_PCS_CLIENT_SECRET/m)
    expect(refused.errors + refused.output).not.toMatch(/ at .*\.js/)
  })

  test('in production without credentials says which variables to set', async () => {
    const file = list('people.csv', ['ppnum', ...numbersFrom(0, 3)])
    const { code, errors } = await run([file, '--template', TEMPLATE], { NODE_ENV: 'production' })
    expect(code).toBe(1)
    expect(errors).toContain('PAS_PCS_CLIENT_ID')
  })
})
