import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createMessaging } from '../../../src/messaging/index.js'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { type MessagingWorld, startWorld } from '../support/world.js'

let world: MessagingWorld
let client: Messaging
beforeAll(async () => {
  world = await startWorld()
  client = world.connect()
})
afterAll(() => world.close())

/** Never to be seen in a message. */
const SECRET = 'hunter2-hunter2'
const recipients = [{ ppnum: '12312345678' }]
const request = { templateId: 't1', recipients }
const template = { name: 'a', components: [{ type: 'text', content: 'Hello' }] }

/** What is called, as JavaScript would: with a name that is not there. */
type Call = (messaging: Record<string, never>) => unknown
const ask = (call: (messaging: never) => unknown): Call => call as Call
const signal = new AbortController().signal

const refused: readonly (readonly [string, Call, string])[] = [
  ['send', ask((m: Messaging) => m.send({ ...request, recipient: SECRET } as never)), 'did you mean "recipients"?'],
  [
    'send',
    ask((m: Messaging) => m.send({ templateId: 't1', recipients: [{ ...recipients[0], var: SECRET }] } as never)),
    'did you mean "recipients[0].vars"?',
  ],
  [
    'send',
    ask((m: Messaging) => m.send({ ...request, poll: { expiresHours: 1 } } as never)),
    'did you mean "poll.expiresInHours"?',
  ],
  [
    'send',
    ask((m: Messaging) => m.send({ ...request, signal } as never)),
    '"signal" belongs in the second argument: send(request, { signal })',
  ],
  [
    'send',
    ask((m: Messaging) => m.send({ ...request, deadlineMs: 5 } as never)),
    '"deadlineMs" belongs in the second argument',
  ],
  [
    'sendMany',
    ask((m: Messaging) => m.sendMany({ ...request, signal } as never)),
    '"signal" belongs in the second argument: sendMany(request, { signal })',
  ],
  ['sendMany', ask((m: Messaging) => m.sendMany({ ...request, chunksize: 5 } as never)), 'did you mean "chunkSize"?'],
  [
    'sendMany',
    ask((m: Messaging) => m.sendMany({ ...request, onprogres: SECRET } as never)),
    'did you mean "onProgress"?',
  ],
  [
    'templates.create',
    ask((m: Messaging) => m.templates.create({ ...template, components_: [] } as never)),
    'did you mean "components"?',
  ],
  [
    'templates.create',
    ask((m: Messaging) => m.templates.create({ ...template, signal } as never)),
    'templates.create(request, { signal })',
  ],
  [
    'templates.create',
    ask((m: Messaging) =>
      m.templates.create({ name: 'a', components: [{ type: 'text', content: 'a', contents: SECRET }] } as never),
    ),
    'did you mean "components[0].content"?',
  ],
  ['events', ask((m: Messaging) => m.events({ sendRequestID_: 's' } as never)), 'did you mean "sendRequestId"?'],
  ['events', ask((m: Messaging) => m.events(signal as never)), '"signal" must be passed by name: { signal }'],
  [
    'events',
    ask((m: Messaging) => (m.events as (...given: unknown[]) => unknown)({ sendRequestId: 's' }, { signal })),
    'events: takes a single argument',
  ],
  [
    'consume',
    ask((m: Messaging) =>
      (m.consume as (...given: unknown[]) => unknown)({ name: 'a', handler: () => {} }, { signal }),
    ),
    'consume: takes a single argument',
  ],
  ['consume', ask((m: Messaging) => m.consume({ name: 'a', handle: () => {} } as never)), 'did you mean "handler"?'],
  [
    'consume',
    ask((m: Messaging) => m.consume({ name: 'a', handler: () => {}, fanOut: { maxLenght: 1 } } as never)),
    'did you mean "fanOut.maxLength"?',
  ],
  ['deadLetters.list', ask((m: Messaging) => m.deadLetters('a').list({ limits: 1 } as never)), 'did you mean "limit"?'],
  [
    'deadLetters.replay',
    ask((m: Messaging) => m.deadLetters('a').replay(() => {}, { signals: signal } as never)),
    'did you mean "signal"?',
  ],
]

/** Every method that takes the options of a call, as its last argument. */
const withOptions: readonly (readonly [string, (m: Messaging, options: never) => unknown])[] = [
  ['send', (m, options) => m.send(request, options)],
  ['sendMany', (m, options) => m.sendMany(request, options)],
  ['status', (m, options) => m.status('s1', options)],
  ['waitFor', (m, options) => m.waitFor('s1', options)],
  ['templates.create', (m, options) => m.templates.create(template as never, options)],
  ['polls.results', (m, options) => m.polls.results('p1', options)],
  ['polls.responses', (m, options) => m.polls.responses('p1', options)],
  ['app.stats', (m, options) => m.app.stats(options)],
  ['health', (m, options) => m.health(options)],
]

/** What a call throws or rejects with, if it does so before anything is asked of anybody. */
async function refusalOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error('it was taken')
}

describe('an unknown name', () => {
  test.each(refused)('is rejected by %s, suggesting the nearest (%#): %s', async (_, call, hint) => {
    const error = await refusalOf(() => call(client as never))
    expect(error).toMatchObject({ code: 'request_invalid', message: expect.stringContaining(hint) })
    expect(String(error)).not.toContain(SECRET)
    expect(world.pcs.calls).toEqual([])
  })

  describe.each(withOptions)('%s', (_, call) => {
    test.each([
      [{ deadline: 5 }, '"deadline" is not known; did you mean "deadlineMs"?'],
      [{ deadlineMS: 5 }, 'did you mean "deadlineMs"?'],
      [{ singal: signal }, 'did you mean "signal"?'],
      [{ [`x-${SECRET}`]: SECRET }, '"(odd name)" is not known; known are: signal, deadlineMs'],
      [{ rateLimit: 'never' }, '"rateLimit" '],
      [{ signal: new AbortController() }, '"signal" must be an AbortSignal'],
      [{ deadlineMs: '5' }, '"deadlineMs" must be a positive number'],
      [signal, '"signal" must be passed by name: { signal }'],
      [Object.create({ deadline: 5 }), '"deadline" is not known; did you mean "deadlineMs"?'],
      [{ [Symbol('signal')]: signal }, '"(odd name)" is not known'],
      [null, 'must be an object'],
      [5, 'must be an object'],
    ])('rejects the options %j', async (options, hint) => {
      const error = await refusalOf(() => call(client, options as never))
      expect(error).toMatchObject({ code: 'request_invalid', message: expect.stringContaining(hint) })
      expect(String(error)).not.toContain(SECRET)
      expect(world.pcs.calls).toEqual([])
    })
  })

  test("is accepted in vars, which have the template's names", async () => {
    const vars = { signal: 'x', deadlineMs: 1, anything: null }
    await expect(client.send({ templateId: 't1', recipients: [{ ppnum: '12312345678', vars }] })).resolves.toBeDefined()
  })

  test('on Object.prototype, put there by another library, is ignored', async () => {
    Object.defineProperty(Object.prototype, 'polluted', { value: 1, enumerable: true, configurable: true })
    try {
      await expect(client.send(request, { deadlineMs: 60_000 })).resolves.toBeDefined()
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted')
    }
  })

  test.each([
    [Object.create({ clientIdd: 'x' }), 'did you mean "clientId"?'],
    [{ clientID_: 'x' }, 'did you mean "clientId"?'],
    [{ keepalive: { timeoutMS: 1 } }, 'did you mean "keepalive.timeoutMs"?'],
    [{ deadline: 1 }, 'did you mean "deadlineMs"?'],
  ])('is rejected by createMessaging(%j)', (options, hint) => {
    expect(() => createMessaging(options as never)).toThrow(hint)
  })
})
