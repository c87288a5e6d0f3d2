import { beforeEach, describe, expect, test } from '@jest/globals'
import { createDeadLetters } from '../../../src/messaging/consumer/dead-letters.js'
import { toLetter } from '../../../src/messaging/consumer/term/stored-texts.js'
import type { DeadLetter } from '../../../src/messaging/types/consumer.js'
import type { ConsumerStore } from '../../../src/store/consumer-store.js'
import { createMemoryConsumerStore } from '../../../src/store/memory/consumer-store.js'
import { eventAt } from './support/events.js'

const letterAt = (place: number): DeadLetter => ({
  event: eventAt(place),
  error: 'Error: never',
  attempts: 5,
  failedAt: new Date(1_700_000_000_000 + place),
})

describe('dead letters', () => {
  let store: ConsumerStore
  const letters = (): ReturnType<typeof createDeadLetters> => createDeadLetters({ name: 'orders', store: () => store })

  beforeEach(async () => {
    store = createMemoryConsumerStore({ now: Date.now })
    for (let place = 0; place < 250; place++) await store.letters.add('orders', toLetter(letterAt(place)))
  })

  test('are listed oldest first, 100 by default', async () => {
    expect(await letters().list()).toEqual(Array.from({ length: 100 }, (_, place) => letterAt(place)))
    expect(await letters().list({ limit: 249 })).toHaveLength(249)
    expect((await letters().list({ limit: 10_000 })).at(-1)).toEqual(letterAt(249))
  })

  test('are replayed once each, whatever their outcome; those that fail stay in their order', async () => {
    const seen: string[] = []
    const counts = await letters().replay(({ eventId }, { attempt }) => {
      seen.push(eventId)
      expect(attempt).toBe(6)
      if (Number(eventId.slice(-1)) % 3 === 0) throw new Error('still not')
    })
    expect(seen).toEqual(Array.from({ length: 250 }, (_, place) => eventAt(place).eventId))
    const left = (await letters().list({ limit: 250 })).map(({ event }) => event.eventId)
    expect(left).toEqual(seen.filter((id) => Number(id.slice(-1)) % 3 === 0))
    expect(counts).toEqual({ replayed: 250 - left.length, failed: left.length })
  })

  test('an entry in another format is skipped', async () => {
    await store.letters.add('others', { id: 'x', text: 'not ours' })
    await store.letters.add('others', toLetter(letterAt(1)))
    const others = createDeadLetters({ name: 'others', store: () => store })
    expect(await others.list()).toEqual([letterAt(1)])
    expect(await others.replay(() => {})).toEqual({ replayed: 1, failed: 0 })
    expect(await others.count()).toBe(1)
  })

  test('are kept for every event without an id', async () => {
    const store = createMemoryConsumerStore({ now: Date.now })
    for (let i = 0; i < 2; i++) {
      await store.letters.add('orders', toLetter({ ...letterAt(i), event: { ...eventAt(i), eventId: '' } }))
    }
    expect(await createDeadLetters({ name: 'orders', store: () => store }).count()).toBe(2)
  })

  test('a replay stops with its signal, and what was not started stays', async () => {
    const ending = new AbortController()
    const replay = letters().replay(() => ending.abort(new Error('enough')), { signal: ending.signal })
    await expect(replay).rejects.toThrow('enough')
    expect(await letters().count()).toBe(249)
  })

  test.each([0, 10_001, 1.5, '7'])('a limit of %p is refused', async (limit) => {
    await expect(letters().list({ limit } as { limit: number })).rejects.toMatchObject({ code: 'request_invalid' })
  })

  test('an invalid name or handler is rejected immediately', async () => {
    expect(() => createDeadLetters({ name: 'my orders', store: () => store })).toThrow(/"name" must be/)
    await expect(letters().remove(undefined as never)).rejects.toThrow(/"eventId" must be an id/)
    await expect(letters().replay('log' as never)).rejects.toThrow(/"handler" must be a function/)
  })
})
