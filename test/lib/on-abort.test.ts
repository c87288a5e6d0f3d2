import { getEventListeners } from 'node:events'
import { describe, expect, test } from '@jest/globals'
import { onAbort } from '../../src/lib/on-abort.js'

describe('onAbort', () => {
  test('all hear of the abort, over one listener of the signal; who took it back does not', () => {
    const abort = new AbortController()
    const heard: number[] = []
    const back = Array.from({ length: 20 }, (_, index) => onAbort(abort.signal, () => heard.push(index)))
    expect(getEventListeners(abort.signal, 'abort').length).toBe(1)
    back[3]?.()
    back[3]?.()
    abort.abort()
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index).filter((index) => index !== 3))
    for (const one of back) one()
  })

  test('with the last one the signal is let go; it can be listened to again', () => {
    const abort = new AbortController()
    let heard = 0
    const listener = () => {
      heard += 1
    }
    const [one, other] = [onAbort(abort.signal, listener), onAbort(abort.signal, listener)]
    one()
    expect(getEventListeners(abort.signal, 'abort').length).toBe(1)
    other()
    expect(getEventListeners(abort.signal, 'abort').length).toBe(0)
    onAbort(abort.signal, listener)
    one()
    abort.abort()
    expect(heard).toBe(1)
    onAbort(abort.signal, listener)
    expect(heard).toBe(2)
  })
})
