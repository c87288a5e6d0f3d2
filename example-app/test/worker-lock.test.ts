import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { folder, list, numbersFrom, received, run, sandbox, start, TEMPLATE, useWorker } from './worker-support.js'

useWorker()

const progressFile = () => join(folder, 'people.csv.progress.json')
const lockFile = () => `${progressFile()}.lock`
const people = (count: number) => list('people.csv', ['ppnum', ...numbersFrom(0, count)])
const command = ['people.csv', '--template', TEMPLATE, '--chunk-size', '100', '--concurrency', '1']

/** A worker in the middle of its list, which it needs long for: another one starts meanwhile, on whatever machine. */
async function startSlowly() {
  const fault = { kind: 'delay', delayMs: 200 } as const
  sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 'until-cleared', fault })
  const running = start(command)
  while (!/[1-9]\d* % ·/.test(running.errors())) await once(running.child, 'said')
  return running
}

describe('a second worker on a list', () => {
  test('does not start while the first runs, and does once it has ended', async () => {
    people(20_000)
    const { child, ended } = await startSlowly()
    expect(readFileSync(lockFile(), 'utf8')).toBe(`${child.pid} ${hostname()}\n`)
    const second = await run([...command, '--start-over'])
    expect(second.code).toBe(2)
    expect(second.errors).toBe(`another worker is sending this list; if it died, remove ${lockFile()}\n`)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(existsSync(lockFile())).toBe(false)
    sandbox.control.pcs.clearFaults()
    expect((await run(command)).code).toBe(0)
    expect(received().sort()).toEqual(numbersFrom(0, 20_000))
    expect(readdirSync(folder).sort()).toEqual(['people.csv', 'people.csv.progress.json'])
  })

  test('takes over the lock of one that was killed', async () => {
    people(20_000)
    const { child, ended } = await startSlowly()
    child.kill('SIGKILL')
    await ended
    expect(existsSync(lockFile())).toBe(true)
    sandbox.control.pcs.clearFaults()
    expect((await run(command)).code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['people.csv', 'people.csv.progress.json'])
  })

  test.each([
    ['of another machine', '999999999 elsewhere.example\n'],
    ['that says nothing yet', ''],
  ])('does not take over a lock %s', async (_what, content) => {
    people(10)
    writeFileSync(lockFile(), content)
    expect((await run(command)).code).toBe(2)
    expect(readFileSync(lockFile(), 'utf8')).toBe(content)
    expect(received()).toEqual([])
  })
})

describe('a progress file that cannot be written', () => {
  test('stops the worker before anything is sent', async () => {
    people(10)
    mkdirSync(`${progressFile()}.new`)
    const { code, errors } = await run(command)
    expect(code).toBe(2)
    expect(errors).toBe(`Nothing was sent: ${progressFile()} cannot be written (EISDIR).\n`)
    expect(received()).toEqual([])
    expect(existsSync(lockFile())).toBe(false)
  })

  test('later on is reported with what it lacks', async () => {
    people(3_000)
    const { ended } = await startSlowly()
    rmSync(progressFile())
    mkdirSync(progressFile())
    const { code, errors } = await ended
    expect(code).toBe(1)
    const [, lacking = ''] = /could not be written\. .*: (\{.*\})$/m.exec(errors) ?? []
    expect(JSON.parse(lacking)).toEqual({ resumeFrom: received().length / 100, skipChunks: [] })
    expect(existsSync(lockFile())).toBe(false)
  })
})
