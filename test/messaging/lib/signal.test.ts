import { describe, expect, test } from '@jest/globals'
import { Signal } from '../../../src/messaging/lib/signal.js'

describe('a signal', () => {
  test('wakes all who are waiting, and not only the last one', async () => {
    const signal = new Signal()
    const woken: string[] = []
    const waiting = ['first', 'second'].map((name) => signal.next().then(() => woken.push(name)))
    signal.notify()
    await Promise.all(waiting)
    expect(woken).toEqual(['first', 'second'])
  })

  test('wakes each waiter once: what happened before it began to wait does not count', async () => {
    const signal = new Signal()
    signal.notify()
    let wakes = 0
    const waitTwice = async (): Promise<void> => {
      await signal.next()
      wakes++
      await signal.next()
      wakes++
    }
    const done = waitTwice()
    signal.notify()
    signal.notify()
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(wakes).toBe(1)
    signal.notify()
    await done
    expect(wakes).toBe(2)
  })

  test('does not resolve while nothing happens', async () => {
    const signal = new Signal()
    const first = await Promise.race([
      signal.next().then(() => 'woken'),
      new Promise((resolve) => setImmediate(resolve, 'still waiting')),
    ])
    expect(first).toBe('still waiting')
  })
})
