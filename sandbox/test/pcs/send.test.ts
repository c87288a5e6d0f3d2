import { describe, expect, test } from '@jest/globals'
import { connect, isComplete, type Message, pcsSandbox, readUntil, SEND, STATUS, sendTo } from './client.js'

const typesOf = (events: readonly Message[]): unknown[] => events.map((event) => event['event_type'])

describe('a send request', () => {
  test('goes from a template over events and status to polls and statistics', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const client = await connect(pcs)
    const template = await client.call('ExternalTemplateService/CreateTemplate', {
      name: 'Lunch',
      components: [
        { component_type: 'TEXT', content: 'Dear {{name}}' },
        { component_type: 'POLL', question: 'Where?', options: ['here', 'there'] },
      ],
    })
    expect(template).toMatchObject({ id: expect.stringMatching(/^tpl_/), name: 'Lunch', is_active: true, version: 1 })
    const recipients = [{ ppnum: '12300000001', vars: { fields: { name: { stringValue: 'Alex' } } } }]
    const receipt = await client.call(SEND, { template_id: template['id'], recipients, poll_config: {} })
    expect(receipt).toMatchObject({ status: 'QUEUED', total_recipients: 1 })
    const isAnswered = (events: readonly Message[]): boolean => typesOf(events).includes('POLL_RESPONSE_RECEIVED')
    const { events } = await readUntil(client.stream({ send_request_id: receipt['id'] }), isAnswered)
    expect(typesOf(events)).toEqual(['RECIPIENT_DELIVERED', 'REQUEST_COMPLETED', 'POLL_RESPONSE_RECEIVED'])
    expect(await client.call(STATUS, { id: receipt['id'] })).toMatchObject({ status: 'COMPLETED', delivered: 1 })
    const results = await client.call('ExternalAppService/GetPollResults', { poll_id: receipt['id'] })
    expect(results).toMatchObject({ question: 'Where?', total_responses: 1 })
    expect(results['results']).toContainEqual({ option_text: 'here', count: 1, percentage: 100 })
    expect(await client.call('ExternalAppService/GetAppStats', {})).toMatchObject({ current_month_usage: 1 })
    expect(sandbox.control.pcs.messages[0]?.text).toBe('Dear Alex\nWhere? | here | there')
  })

  test.each([
    ['12300000001', ['RECIPIENT_DELIVERED']],
    ['12300000002', ['RECIPIENT_PENDING_CONSENT', 'CONSENT_GRANTED', 'RECIPIENT_DELIVERED']],
    ['12300000003', ['RECIPIENT_PENDING_CONSENT', 'CONSENT_DENIED']],
    ['12300000004', ['RECIPIENT_FAILED']],
    ['77700000001', ['RECIPIENT_DELIVERED']],
  ])('to %s: %j', async (ppnum, types) => {
    const { pcs } = await pcsSandbox()
    const events = await sendTo(await connect(pcs), ppnum)
    expect(typesOf(events)).toEqual([...types, 'REQUEST_COMPLETED'])
    expect(isComplete(events)).toBe(true)
  })
})
