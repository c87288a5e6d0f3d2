import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { PpoppoError } from '../../../src/errors.js'
import { Lease } from '../../../src/messaging/consumer/term/lease.js'
import { systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import type { CommitStep, ConsumerStore } from '../../../src/store/consumer-store.js'
import { createMemoryConsumerStore } from '../../../src/store/memory/consumer-store.js'
import { stays, until } from '../../support/until.js'
import { eventAt } from './support/events.js'
import { createConsumers, EventLog } from './support/log.js'

const down = (): PpoppoError => new PpoppoError('store_unavailable', 'Redis does not answer.')

/** A store that can be cut off: before a call reaches it, or between what it did and its answer. */
function createFaultyStore(): {
  readonly store: ConsumerStore
  readonly commits: CommitStep[]
  fault: 'none' | 'unreachable' | 'answers-lost'
} {
  const real = createMemoryConsumerStore({ now: Date.now })
  const commits: CommitStep[] = []
  const faulty = { store: real, commits, fault: 'none' as 'none' | 'unreachable' | 'answers-lost' }
  const through = async <T>(call: () => Promise<T>): Promise<T> => {
    if (faulty.fault === 'unreachable') throw down()
    const answer = await call()
    if (faulty.fault === 'answers-lost') throw down()
    return answer
  }
  faulty.store = {
    ...real,
    acquire: (...args) => through(() => real.acquire(...args)),
    renew: (...args) => through(() => real.renew(...args)),
    release: (...args) => through(() => real.release(...args)),
    commit: (name, step) => {
      commits.push(step)
      return through(() => real.commit(name, step))
    },
  }
  return faulty
}

describe('a store that fails', () => {
  let log: EventLog
  let faulty: ReturnType<typeof createFaultyStore>
  let consumers: ReturnType<typeof createConsumers>

  beforeEach(() => {
    log = new EventLog()
    faulty = createFaultyStore()
    consumers = createConsumers(log, faulty.store)
  })
  afterEach(() => {
    faulty.fault = 'none'
    return consumers.stopAll()
  })

  test('for less than the lease: at most maxInFlight events are started, none is handled twice, and the same commit is retried until it is answered', async () => {
    const handled: string[] = []
    const consumer = consumers.start({
      maxInFlight: 4,
      leaseMs: 30_000,
      handler: ({ eventId }) => handled.push(eventId),
    })
    await until(() => consumer.isActive, 'it is active')
    faulty.fault = 'answers-lost'
    for (let place = 0; place < 20; place++) log.append(eventAt(place, 20))
    await until(() => faulty.commits.length >= 3, 'it was tried thrice')
    expect(handled.length).toBeLessThanOrEqual(4)
    const [first, ...repeated] = faulty.commits
    for (const step of repeated) expect(step).toBe(first)
    faulty.fault = 'none'
    await until(() => handled.length === 20, 'all are handled')
    expect(new Set(handled).size).toBe(20)
    const sequences = faulty.commits.map(({ sequence }) => sequence)
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b))
  })

  test('for longer than the lease: nothing more is started, that is reported, and then the consumer resumes by itself', async () => {
    const handled: string[] = []
    const states: string[] = []
    const consumer = consumers.start({
      leaseMs: 300,
      handler: ({ eventId }) => handled.push(eventId),
      onActive: () => states.push('active'),
      onStandby: ({ reason }) => states.push(reason),
    })
    await until(() => consumer.isActive, 'it is active')
    faulty.fault = 'unreachable'
    await until(() => !consumer.isActive, 'its lease has run out')
    log.append(eventAt(0))
    await stays(() => handled.length === 0, 'nothing is handled without a lease', 100)
    faulty.fault = 'none'
    await until(() => handled.length === 1, 'it goes on')
    expect(states.slice(0, 2)).toEqual(['active', 'store_unavailable'])
    expect(states.at(-1)).toBe('active')
  })

  test('and has lost its data: this process continues where it was', async () => {
    const handled: string[] = []
    const consumer = consumers.start({ leaseMs: 300, maxInFlight: 1, handler: ({ eventId }) => handled.push(eventId) })
    log.append(eventAt(0), eventAt(1))
    await until(() => faulty.commits.length === 2, 'both are saved')
    Object.assign(faulty.store, createFaultyStore().store)
    log.append(eventAt(2))
    await until(() => log.opened.length === 2, 'it has begun again')
    await until(() => handled.includes(eventAt(2).eventId), 'the newest is handled')
    // The one at hand when the lease turned out to be gone may come twice, but not what was saved.
    expect(log.opened).toEqual([undefined, eventAt(1).eventId])
    expect(handled.slice(0, 3)).toEqual([eventAt(0).eventId, eventAt(1).eventId, eventAt(2).eventId])
    expect(consumer.isActive).toBe(true)
  })
})

describe('a lease', () => {
  const parts = (store: ConsumerStore, ttlMs = 300): ConstructorParameters<typeof Lease>[0] => ({
    store,
    runtime: systemMessagingRuntime,
    name: 'orders',
    holder: 'me',
    ttlMs,
    fence: 1,
    askedAt: performance.now(),
  })

  test('is renewed while it is held, and is over when the store gives it to another process', async () => {
    const store = createMemoryConsumerStore({ now: Date.now })
    await store.acquire('orders', 'me', 1_500)
    const lease = new Lease(parts(store, 1_500))
    await stays(() => lease.isValid(), 'the lease is valid beyond its first term', 2_000)
    await store.release('orders', 'me')
    await store.acquire('orders', 'somebody else', 10_000)
    await until(() => lease.signal.aborted, 'it is lost')
    expect(lease.loss).toEqual({ reason: 'lease_lost' })
  })

  test('is over by this process’s clock after it was frozen, before any timer has run', async () => {
    const store = createMemoryConsumerStore({ now: Date.now })
    await store.acquire('orders', 'me', 300)
    const lease = new Lease(parts(store))
    const end = performance.now() + 320
    while (performance.now() < end); // as SIGSTOP would have it
    expect(lease.isValid()).toBe(false)
    expect(lease.signal.aborted).toBe(true)
  })

  test('counts from before the store was asked', async () => {
    const store = createMemoryConsumerStore({ now: Date.now })
    const lease = new Lease({ ...parts(store), askedAt: performance.now() - 301 })
    expect(lease.isValid()).toBe(false)
  })

  test('leaves no timer behind', async () => {
    const store = createFaultyStore()
    await store.store.acquire('orders', 'me', 10_000)
    const lease = new Lease(parts(store.store, 10_000))
    await lease.release()
    expect(await store.store.acquire('orders', 'another', 10)).toMatchObject({ fence: expect.any(Number) })
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')
    const before = timers.length
    const abandoned = new Lease(parts(store.store, 10_000))
    abandoned.abandon()
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(before)
  })
})
