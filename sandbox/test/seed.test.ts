import { beforeEach, describe, expect, test } from '@jest/globals'
import { until } from '../../test/support/until.js'
import { type Person, type Sandbox, testPeople } from '../src/index.js'
import { pcsSandbox } from './pcs/client.js'
import { sandboxFor } from './support.js'

const GREETING = {
  id: 'tpl_greeting',
  name: 'Greeting',
  components: [{ type: 'text', content: 'Hi {{name}}' }],
} as const
const TO_ALEX = { templateId: 'tpl_greeting', ppnums: ['77700000001'], vars: { name: 'Alex' } }
const KIM: Person = {
  key: 'kim',
  label: 'Kim',
  sub: '01JAB5N7P9S1D3F5G7H9J1K3Z9',
  ppnum: '77700000099',
  createdAt: testPeople[0]?.createdAt ?? '',
}

describe('seed() and reset()', () => {
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = (await pcsSandbox({ templates: [{ ...GREETING, id: 'tpl_own', name: 'Own' }] })).sandbox
  })

  test('people, templates and messages are there at once, and messages are delivered', async () => {
    await sandbox.seed({ users: [KIM], templates: [GREETING], messages: [TO_ALEX] })
    expect(sandbox.control.people.map(({ key }) => key)).toContain('kim')
    await until(() => sandbox.control.pcs.sends[0]?.status === 'COMPLETED', 'the message is delivered')
    expect(sandbox.control.pcs.messages.map(({ ppnum, text }) => [ppnum, text])).toEqual([['77700000001', 'Hi Alex']])
  })

  test('a person whose key is there already is replaced', async () => {
    await sandbox.seed({ users: [{ ...KIM, key: 'alex' }] })
    expect(sandbox.control.people.filter(({ key }) => key === 'alex')).toEqual([{ ...KIM, key: 'alex' }])
  })

  test('reset() brings back the start: nothing sent, people, switches, and templates of the options', async () => {
    await sandbox.seed({ users: [{ ...KIM, key: 'alex' }], templates: [GREETING], messages: [TO_ALEX] })
    sandbox.control.set({ pcsHold: true })
    sandbox.control.inject({ endpoint: 'token', fault: { kind: 'hang' } })
    await sandbox.reset()
    const { control } = sandbox
    expect([control.pcs.sends, control.pcs.events, control.pcs.inbox(), control.pendingFaults]).toEqual([
      [],
      [],
      [],
      [],
    ])
    expect(control.people).toEqual(testPeople)
    expect(control.switches.pcsHold).toBe(false)
    const ids = control.pcs.templates.map(({ id }) => id)
    expect(ids).toContain('tpl_own')
    expect(ids).not.toContain('tpl_greeting')
  })

  test('what was under way before reset() goes nowhere', async () => {
    sandbox.control.set({ pcsStepMs: 20 })
    await sandbox.seed({ templates: [GREETING], messages: [TO_ALEX] })
    await sandbox.reset()
    sandbox.control.set({ pcsStepMs: 20 }) // no faster than what was before it
    await sandbox.seed({ templates: [GREETING], messages: [{ ...TO_ALEX, ppnums: ['77700000002'] }] })
    await until(() => sandbox.control.pcs.sends[0]?.status === 'COMPLETED', 'the second one is delivered')
    expect(sandbox.control.pcs.events.map(({ recipient }) => recipient?.ppnum)).toEqual(['77700000002', undefined])
  })

  test('each beforeEach may seed the same', async () => {
    for (let i = 0; i < 3; i++) {
      await sandbox.reset()
      await sandbox.seed({ users: [KIM], templates: [GREETING], messages: [TO_ALEX] })
    }
    expect(sandbox.control.pcs.sends).toHaveLength(1)
  })

  test.each<[object, string]>([
    [{ people: [] }, '"people" is not a known field; known are users, templates, messages'],
    [{ users: {} }, '"users" must be a list'],
    [{ users: [{ key: 'x' }] }, 'users[0].label must be'],
    [
      { messages: [{ templateId: 'tpl_none', ppnums: ['77700000001'] }] },
      'messages[0]: template "tpl_none" does not exist',
    ],
    [{ messages: [{ templateId: 'tpl_own', ppnums: [] }] }, 'messages[0].ppnums must be a list of 1 to 1000'],
    [{ messages: [{ templateId: 'tpl_own', ppnums: ['1'] }] }, 'messages[0].ppnums must be a list of 1 to 1000'],
    [{ messages: [{ templateId: 'tpl_own', to: 'x' }] }, 'messages[0].to is not a known field'],
  ])('%j: %s', async (seed, complaint) => {
    await expect(sandbox.seed(seed)).rejects.toThrow(complaint)
    expect(sandbox.control.pcs.sends).toEqual([])
  })

  test('messages need the messaging service', async () => {
    const accountsOnly = await sandboxFor()
    await expect(accountsOnly.seed({ messages: [TO_ALEX] })).rejects.toThrow('need the messaging service')
    await accountsOnly.seed({ users: [KIM] })
    await accountsOnly.reset()
  })
})
