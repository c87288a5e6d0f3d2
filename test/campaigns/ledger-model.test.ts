import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CampaignLedger } from '../../src/store/campaign-ledger.js'
import { createRedisCampaignLedger } from '../../src/store/redis/campaigns/ledger.js'
import { describeWithRedis, redisForTests, type TestRedis } from '../support/redis.js'

const CHUNKS = 4
const SIZE = 10
const RATE = { perMinute: 1_000, intervalMs: 1 }
type State = 'planned' | 'held' | 'sending' | 'unknown' | 'accepted' | 'rejected' | 'filtered'
interface Entry {
  state: State
  claim: string
}
type Outcome = 'accepted' | 'rejected' | 'filtered' | 'unknown' | 'planned'
type Op =
  | { readonly do: 'take'; readonly index: number; readonly worker: 'alive' | 'dead' }
  | { readonly do: 'begin'; readonly index: number; readonly worker: 'alive' | 'dead' }
  | { readonly do: 'settle'; readonly index: number; readonly outcome: Outcome; readonly isStale: boolean }
  | { readonly do: 'judge'; readonly index: number; readonly verdict: 'sent' | 'not-sent' }
  | { readonly do: 'tick' }
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  | { readonly do: 'cancel' }

const index = fc.nat({ max: CHUNKS - 1 })
const worker = fc.constantFrom('alive' as const, 'dead' as const)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), index, worker }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('begin' as const), index, worker }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      index,
      outcome: fc.constantFrom<Outcome>('accepted', 'rejected', 'filtered', 'unknown', 'planned'),
      isStale: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('judge' as const),
      index,
      verdict: fc.constantFrom('sent' as const, 'not-sent' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'cancel' as const) }) },
)

/** What the ledger is to do, in the plainest words. */
class Model {
  state = 'running'
  readonly entries: Entry[] = Array.from({ length: CHUNKS }, () => ({ state: 'planned' as State, claim: '' }))
  unknownInRow = 0

  count(...states: State[]): number {
    return this.entries.filter(({ state }) => states.includes(state)).length
  }

  endIfDone(): void {
    if (this.state === 'finished' || this.state === 'cancelled' || this.count('held', 'sending') > 0) return
    if (this.state === 'cancelling') this.state = 'cancelled'
    else if (this.count('planned') === 0) this.state = 'finished'
  }

  get isFinal(): boolean {
    return this.state === 'finished' || this.state === 'cancelled'
  }
}

describeWithRedis('the ledger of campaigns', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await redisForTests()
  })
  afterAll(() => {})

  test('does as its model for any order of what workers, kills and people do, and lets no chunk be sent twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { maxLength: 60, size: 'max' }), async (ops) => {
        const ledger = createRedisCampaignLedger({ redis: redis.url, prefix: redis.prefix() })
        try {
          await start(ledger)
          const model = new Model()
          /** Calls to PCS for each chunk since a person or PCS last said that it was not sent. */
          const sends = Array.from({ length: CHUNKS }, () => 0)
          for (const [n, one] of ops.entries()) {
            await apply(ledger, model, sends, one, n)
            expect(Math.max(...sends)).toBeLessThanOrEqual(1)
            const record = await ledger.read('c')
            expect(record.state).toBe(model.state)
            const figures = { accepted: model.count('accepted') * SIZE, rejected: model.count('rejected') * SIZE }
            expect(record).toMatchObject({ ...figures, unknown: model.count('unknown') * SIZE })
            expect(record.filtered).toBe(model.count('filtered') * SIZE)
          }
        } finally {
          await ledger.close()
        }
      }),
      { numRuns: 60 },
    )
  })
})

async function start(ledger: CampaignLedger): Promise<void> {
  await ledger.open('c')
  await ledger.draft(
    'c',
    't',
    CHUNKS * SIZE,
    Array.from({ length: CHUNKS }, (_, i) => [i, 'sealed'] as const),
  )
  await ledger.commit('c', 't', { settings: '{}', digest: 'd', total: CHUNKS * SIZE, zones: Array(CHUNKS).fill(0) })
  await ledger.seen('alive', 4, 1)
}

async function apply(ledger: CampaignLedger, model: Model, sends: number[], one: Op, n: number): Promise<void> {
  const chunk = (index: number, claim: string) => ({ id: 'c', index, claim })
  if (one.do === 'tick') {
    const { state } = await ledger.tick('c', '0', 100)
    for (const entry of model.entries) {
      if (!entry.claim.startsWith('dead')) continue
      if (entry.state === 'held') entry.state = 'planned'
      if (entry.state === 'sending') entry.state = 'unknown'
    }
    model.endIfDone()
    expect(state).toBe(model.state)
    return
  }
  if (one.do === 'pause' || one.do === 'resume' || one.do === 'cancel') {
    const state = await ledger.set('c', one.do)
    if (one.do === 'pause' && model.state === 'running') model.state = 'paused'
    if (one.do === 'resume' && (model.state === 'paused' || model.state === 'stopped')) model.state = 'running'
    if (one.do === 'cancel' && !model.isFinal) model.state = 'cancelling'
    model.endIfDone()
    expect(state).toBe(model.state)
    return
  }
  const entry = model.entries[one.index] as Entry
  if (one.do === 'take') {
    const claim = `${one.worker}#${n}`
    const { answer } = await ledger.take(chunk(one.index, claim), '0', 100)
    const may = model.state === 'running' && entry.state === 'planned'
    expect(answer === 'held').toBe(may)
    if (may) Object.assign(entry, { state: 'held', claim })
  } else if (one.do === 'begin') {
    const { answer } = await ledger.begin(chunk(one.index, entry.claim), '0', { size: SIZE, filtered: 0 }, RATE)
    const may = model.state === 'running' && entry.state === 'held'
    expect(answer === 'go').toBe(may)
    if (may) {
      entry.state = 'sending'
      sends[one.index] = (sends[one.index] ?? 0) + 1
    } else if (entry.state === 'held') {
      entry.state = 'planned'
      model.endIfDone()
    }
  } else if (one.do === 'settle') {
    await settle(ledger, model, sends, one)
  } else {
    const answer = await ledger.judge('c', one.index, one.verdict, 'by-hand')
    expect(answer === 'settled').toBe(entry.state === 'unknown')
    if (entry.state !== 'unknown') return
    entry.state = one.verdict === 'sent' ? 'accepted' : 'planned'
    if (one.verdict === 'not-sent') {
      sends[one.index] = 0
      if (model.state === 'finished') model.state = 'running'
    }
    entry.claim = ''
    model.endIfDone()
  }
}

async function settle(
  ledger: CampaignLedger,
  model: Model,
  sends: number[],
  one: Extract<Op, { do: 'settle' }>,
): Promise<void> {
  const entry = model.entries[one.index] as Entry
  // What was not begun can only be filtered or planned again.
  if (entry.state === 'held' && one.outcome !== 'filtered' && one.outcome !== 'planned') return
  const claim = one.isStale ? 'alive#stale' : entry.claim
  const [size, filtered] = one.outcome === 'filtered' ? [0, SIZE] : [SIZE, 0]
  const done = await ledger.settle(
    { id: 'c', index: one.index, claim },
    { outcome: one.outcome, word: 'w', size, filtered },
  )
  const isGood = !one.isStale && ['held', 'sending', 'unknown'].includes(entry.state)
  expect(done).toBe(isGood)
  if (!isGood || (one.outcome === 'planned' && model.isFinal)) return
  entry.state = one.outcome
  if (one.outcome === 'planned') sends[one.index] = 0
  if (one.outcome === 'unknown') model.unknownInRow += 1
  if (one.outcome === 'accepted') model.unknownInRow = 0
  if (model.unknownInRow >= 8) {
    if (model.state === 'running') model.state = 'stopped'
    model.unknownInRow = 0
  }
  model.endIfDone()
}
