import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../../../test/support/until.js'
import { startSandbox } from '../../src/index.js'
import { connect, isComplete, numbers, pcsSandbox, readUntil, SEND, STATS, STATUS } from './client.js'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ppoppo-sandbox-'))
})
afterAll(() => rm(directory, { recursive: true }))

const TEMPLATE = 'ExternalTemplateService/CreateTemplate'
const POLL = 'ExternalAppService/GetPollResults'

describe('a state file', () => {
  test('keeps templates, sends, polls, events and usage; what was under way goes on; tokens do not', async () => {
    const stateFile = join(directory, 'kept.json')
    const before = await pcsSandbox({ stateFile })
    const client = await connect(before.pcs)
    const components = [{ component_type: 'TEXT', content: 'Hi {{name}}' }]
    const { id: templateId } = await client.call(TEMPLATE, { name: 'Kept', components })
    const vars = { fields: { name: { stringValue: 'Mina' } } }
    const { id } = await client.call(SEND, { template_id: templateId, recipients: [{ ppnum: '77700000001', vars }] })
    const { events } = await readUntil(client.stream({ send_request_id: id }), isComplete)
    before.sandbox.control.set({ pcsStepMs: 60_000 })
    const { id: unfinished } = await client.call(SEND, { template_id: 'tpl_sandbox_poll', recipients: numbers(5) })
    await before.sandbox.close()

    const after = await pcsSandbox({ stateFile })
    const again = await connect(after.pcs)
    expect(await again.call(STATUS, { id })).toMatchObject({ status: 'COMPLETED', delivered: 1 })
    expect(after.sandbox.control.pcs.messages[0]).toMatchObject({ text: 'Hi Mina', ppnum: '77700000001' })
    await expect(again.call(TEMPLATE, { name: 'Kept', components })).rejects.toThrow('ALREADY_EXISTS')
    expect(await again.call(STATS, {})).toMatchObject({ current_month_usage: 6 })
    const rest = await readUntil(
      again.stream({ after_event_id: events.at(-1)?.['event_id'] }),
      (all) => all.length === 11,
    )
    expect(new Set(rest.events.map((event) => event['send_request_id']))).toEqual(new Set([unfinished]))
    expect(await again.call(POLL, { poll_id: unfinished })).toMatchObject({ total_responses: 5 })
    const ids = after.sandbox.control.pcs.events.map(({ event_id: eventId }) => eventId)
    expect([...ids].sort()).toEqual(ids)
    expect(await readFile(stateFile, 'utf8')).not.toContain(after.sandbox.control.issuedTokens[0]?.value)
  })

  test('is written soon after a change, whole, and nothing lies beside it', async () => {
    const folder = await mkdtemp(join(directory, 'alone-'))
    const stateFile = join(folder, 'state.json')
    const { sandbox, pcs } = await pcsSandbox({ stateFile })
    await (await connect(pcs)).call(SEND, { template_id: 'tpl_sandbox_welcome', recipients: numbers(3) })
    const completed = async (): Promise<boolean> => (await readFile(stateFile, 'utf8')).includes('"COMPLETED"')
    await until(completed)
    await sandbox.close()
    expect(await readdir(folder)).toEqual(['state.json'])
  })

  test.each([
    ['{', /not a state file of this sandbox \(.*JSON.*\); name another, or delete it/],
    ['{"version":9}', /not a state file of this sandbox \("version" must be 1/],
    ['[]', /not a state file of this sandbox/],
  ])('that holds %s is refused and stays as it is', async (content, message) => {
    const stateFile = join(directory, `${Math.random()}.json`)
    await writeFile(stateFile, content)
    await expect(startSandbox({ pasPort: 0, pcsPort: 0, stateFile })).rejects.toThrow(message)
    expect(await readFile(stateFile, 'utf8')).toBe(content)
  })

  test('where none can be written, the sandbox says so at once', async () => {
    const stateFile = join(directory, 'no', 'such', 'folder.json')
    const starting = startSandbox({ pasPort: 0, pcsPort: 0, stateFile })
    await expect(starting).rejects.toThrow(`state file ${stateFile}: it cannot be written (ENOENT)`)
  })
})
