import { expect, test } from '@jest/globals'
import { createMemoryConsumerStore } from '../../../src/store/memory/consumer-store.js'
import { acquire, describeConsumerStore } from '../../contract/consumer-store.js'

const T0 = 1_800_000_000_000

describeConsumerStore('memory', async () => {
  let now = T0
  const store = createMemoryConsumerStore({ now: () => now })
  return {
    store,
    other: store,
    shortMs: 500,
    async pass(ms) {
      now += ms
    },
    close: () => store.close(),
  }
})

test('the fencing number in memory grows even when the clock is turned back', async () => {
  let now = T0
  const store = createMemoryConsumerStore({ now: () => now })
  const first = await acquire(store, 'n')
  expect(first.fence).toBe(T0)
  now -= 60_000
  expect((await acquire(store, 'n')).fence).toBe(T0 + 1)
  await store.close()
})
