import { expect, test } from '@jest/globals'
import { PpoppoError } from '../../../src/errors.js'
import { systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import { CallScope } from '../../../src/messaging/lib/scope.js'
import { SendManyAbortError } from '../../../src/messaging/send-many/error.js'
import { createSendMany } from '../../../src/messaging/send-many/send-many.js'
import type { SendReceipt } from '../../../src/messaging/types/methods.js'

const recipients = Array.from({ length: 2 }, (_, index) => ({ ppnum: `1230000000${index}` }))
const receipt: SendReceipt = { id: 'snd_1', status: 'queued', totalRecipients: 1 }

test('a chunk in flight that is cut off by an error of the library has an unknown outcome', async () => {
  let calls = 0
  const sendMany = createSendMany({
    abortGraceMs: 10,
    send: (_request, options) => {
      calls += 1
      if (calls === 1) return Promise.resolve(receipt)
      return new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
      })
    },
  })
  const onProgress = (): void => {
    throw new PpoppoError('not_found', 'asked for something in between')
  }
  const run = sendMany({ templateId: 'tpl_1', recipients, chunkSize: 1, onProgress })
  const error: unknown = await run.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(SendManyAbortError)
  expect(error).toMatchObject({ report: { accepted: 1, rejected: 0, unknown: 1, resumeFrom: 2 } })
})

test('a rate limit without a wait time, or with 0, is not retried at once', async () => {
  const at: number[] = []
  const sendMany = createSendMany({
    send: () => {
      at.push(performance.now())
      if (at.length > 2) return Promise.resolve(receipt)
      return Promise.reject(new PpoppoError('rate_limited', 'slow down', { retryAfterMs: 0 }))
    },
  })
  const report = await sendMany({ templateId: 'tpl_1', recipients })
  expect(report).toMatchObject({ accepted: 2, rejected: 0 })
  expect((at[2] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(350)
})

test('waiting in a scope that has ended rejects with its reason and leaves no timer', async () => {
  let timers = 0
  const runtime = {
    ...systemMessagingRuntime,
    after: (ms: number, done: () => void) => {
      timers += 1
      const cancel = systemMessagingRuntime.after(ms, done)
      return () => {
        timers -= 1
        cancel()
      }
    },
  }
  const stop = new AbortController()
  const scope = new CallScope(runtime, { signal: stop.signal }, 60_000, new Set())
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(scope.wait(new Promise(() => {}), 'waiting')).rejects.toBe(reason)
  expect(timers).toBe(0)
  scope.dispose()
})
