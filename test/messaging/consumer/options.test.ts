import { describe, expect, test } from '@jest/globals'
import { parseConsumeOptions } from '../../../src/messaging/consumer/term/settings.js'

const handler = (): void => {}

describe('the options of consume()', () => {
  test('have defaults', () => {
    expect(parseConsumeOptions({ name: 'orders', handler, onActive: undefined })).toEqual({
      name: 'orders',
      handler,
      maxInFlight: 64,
      leaseMs: 15_000,
      drainMs: 10_000,
      maxAttempts: 5,
      handlerTimeoutMs: 60_000,
      onCursorLost: 'fail',
      fanOut: undefined,
      stream: {},
    })
  })

  test.each([
    [undefined, 'The options of consume() must be an object: consume({ name, handler }).'],
    [{ name: 'orders' }, 'consume: "handler" must be a function: (event) => ....'],
    [{ name: 'my orders', handler }, 'consume: "name" must be 1 to 100 of A-Z a-z 0-9 _ . -.'],
    [{ handler }, 'consume: "name" must be 1 to 100 of A-Z a-z 0-9 _ . -.'],
    [{ name: 'a', handler, maxInflight: 3 }, /"maxInflight".*did you mean "maxInFlight"/],
    [{ name: 'a', handler, maxInFlight: 0 }, 'consume: "maxInFlight" must be a whole number from 1 to 10000.'],
    [{ name: 'a', handler, leaseMs: '15s' }, 'consume: "leaseMs" must be a whole number from 100 to 3600000.'],
    [{ name: 'a', handler, onCursorLost: 'newest' }, 'consume: "onCursorLost" must be one of fail, latest, earliest.'],
    [{ name: 'a', handler, onDeadLetter: 'log' }, 'consume: "onDeadLetter" must be a function.'],
    [{ name: 'a', handler, fanOut: 'yes' }, '"fanOut" must be an object: true, or { maxLength, claimAfterMs }.'],
    [{ name: 'a', handler, fanOut: { maxLen: 1 } }, /"fanOut.maxLen".*did you mean "fanOut.maxLength"/],
    [{ name: 'a', handler, after: 'two words' }, /"after" must be an id/],
    [{ name: 'a', handler, sendRequestId: 7 }, /"sendRequestId" must be an id/],
    [{ name: 'a', handler, recycleMs: -1 }, /"recycleMs" must be/],
    [{ name: 'a', handler, onStale: true }, /"onStale" must be a function/],
  ])('%p are rejected by name', (options, message) => {
    let thrown: unknown
    try {
      parseConsumeOptions(options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ code: 'request_invalid' })
    if (typeof message === 'string') expect((thrown as Error).message).toBe(message)
    else expect((thrown as Error).message).toMatch(message)
  })
})
