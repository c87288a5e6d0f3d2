import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Entry, EventWindow, type Snapshot } from '../../../src/messaging/consumer/handling/event-window.js'
import { BEGINNING } from '../../../src/messaging/consumer/term/stored-texts.js'
import { eventAt } from './support/events.js'

/** What may happen to a window, in any order. */
type Step = 'add' | 'begin' | 'finish' | 'snapshot' | 'saved'
const steps = fc.array(fc.tuple(fc.constantFrom<Step>('add', 'begin', 'finish', 'snapshot', 'saved'), fc.nat(1_000)), {
  maxLength: 300,
})

describe('EventWindow', () => {
  test('in any order of events, a checkpoint covers only handled ones, and what it does not cover may be handled again', () => {
    fc.assert(
      fc.property(steps, (schedule) => {
        const window = new EventWindow(BEGINNING)
        const entries: Entry[] = []
        let [open, saved]: [Snapshot | undefined, Snapshot] = [undefined, window.snapshot()]
        for (const [step, pick] of schedule) {
          const ofState = (state: Entry['state']): Entry | undefined => {
            const found = entries.filter((entry) => entry.state === state)
            return found[pick % found.length]
          }
          if (step === 'add') entries.push(window.add(eventAt(entries.length)) as Entry)
          const waiting = ofState('waiting')
          const begun = ofState('begun')
          if (step === 'begin' && waiting) window.begin(waiting)
          if (step === 'finish' && begun) window.finish(begun)
          if (step === 'snapshot') open ??= window.snapshot()
          if (step === 'saved' && open) {
            window.saved(open)
            ;[open, saved] = [undefined, open]
          }
          const isCovered = (index: number): boolean => {
            const { cursor, ahead } = saved.checkpoint
            const id = eventAt(index).eventId
            return (cursor !== undefined && id <= cursor) || ahead.includes(id)
          }
          for (const [index, { state }] of entries.entries()) if (isCovered(index)) expect(state).toBe('done')
          const uncovered = entries.filter(({ state }, index) => state !== 'waiting' && !isCovered(index))
          expect(window.atRisk).toBe(uncovered.length)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('the cursor stops before the first unhandled event; later handled ones are listed beside it', () => {
    const window = new EventWindow(BEGINNING)
    const [first, second, third] = [0, 1, 2].map((at) => window.add(eventAt(at)) as Entry) as [Entry, Entry, Entry]
    for (const entry of [first, third]) {
      window.begin(entry)
      window.finish(entry)
    }
    expect(window.snapshot().checkpoint).toEqual({ cursor: eventAt(0).eventId, ahead: [eventAt(2).eventId] })
    window.saved(window.snapshot())
    expect(window.size).toBe(2)
    window.begin(second)
    window.finish(second)
    expect(window.snapshot().checkpoint).toEqual({ cursor: eventAt(2).eventId, ahead: [] })
  })

  test('events handled ahead of the cursor before a restart are not handled again, and are remembered until they arrive', () => {
    const window = new EventWindow({ cursor: eventAt(0).eventId, ahead: [eventAt(2).eventId, eventAt(3).eventId] })
    const one = window.add(eventAt(1)) as Entry
    window.begin(one)
    window.finish(one)
    expect(window.snapshot().checkpoint).toEqual({
      cursor: eventAt(1).eventId,
      ahead: [eventAt(2).eventId, eventAt(3).eventId],
    })
    expect(window.add(eventAt(2))).toBeUndefined()
    expect(window.add(eventAt(3))).toBeUndefined()
    expect(window.snapshot().checkpoint).toEqual({ cursor: eventAt(3).eventId, ahead: [] })
  })

  test('an event without an id is not a position to resume from', () => {
    const window = new EventWindow(BEGINNING)
    for (const event of [eventAt(0), { ...eventAt(1), eventId: '' }]) {
      const entry = window.add(event) as Entry
      window.begin(entry)
      window.finish(entry)
    }
    expect(window.snapshot().checkpoint).toEqual({ cursor: eventAt(0).eventId, ahead: [] })
  })
})
