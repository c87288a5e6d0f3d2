import { describe, expect, test } from '@jest/globals'
import { sandboxFor } from '../support.js'
import { connect, pcsSandbox, SEND } from './client.js'

const RECIPIENTS = [{ ppnum: '12300000001', vars: { fields: { number: { stringValue: '7' } } } }]
const HELLO = { id: 'tpl_hello', name: 'Hello', components: [{ type: 'text', content: 'Hello {{number}}' }] } as const

describe('templates by an id of one’s own', () => {
  test('README’s first send is accepted from the start', async () => {
    const { pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const receipt = await client.call(SEND, { template_id: 'tpl_order_placed', recipients: RECIPIENTS })
    expect(receipt).toMatchObject({ status: 'QUEUED', total_recipients: 1 })
  })

  test('one given at the start, and one by the control route, can be sent', async () => {
    const sandbox = await sandboxFor({ pcsPort: 0, templates: [HELLO] })
    const other = { ...HELLO, id: 'tpl_other', name: 'Other' }
    const answer = await fetch(`${sandbox.url}/__sandbox/pcs/seed-template`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(other),
    })
    expect(answer.status).toBe(200)
    const ids = sandbox.control.pcs.templates.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['tpl_hello', 'tpl_other']))
    expect(() => sandbox.control.pcs.seedTemplate(other)).toThrow('"tpl_other" already')
  })

  test.each<[unknown, string]>([
    [{}, 'templates must be a list'],
    [[{ ...HELLO, id: 'a b' }], 'templates[0].id must be'],
    [[{ ...HELLO, componets: [] }], 'templates[0].componets is not a known field'],
    [[{ ...HELLO, components: [{ type: 'TXT' }] }], 'components[0].type must be one of'],
    [[HELLO, HELLO], 'templates[1].id must be unique'],
    [[{ ...HELLO, name: 'Order placed' }], 'templates[0].name must be unique'],
  ])('%j: %s', async (templates, complaint) => {
    await expect(sandboxFor({ pcsPort: 0, templates: templates as never })).rejects.toThrow(complaint)
  })
})
