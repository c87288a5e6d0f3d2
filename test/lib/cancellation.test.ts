import { describe, expect, test } from '@jest/globals'
import { Cancellation, cancellable, onCancelled } from '../../src/lib/cancellation.js'

const requestOf = (cancellation: Cancellation) =>
  cancellable({ method: 'GET', headers: {}, redirect: 'manual' } as const, cancellation)

describe('a request that can be cancelled', () => {
  test('its signal, also that of a copy, is aborted with it', () => {
    const cancellation = new Cancellation()
    const { signal } = { ...requestOf(cancellation) }
    expect(signal.aborted).toBe(false)
    cancellation.cancel()
    expect(signal.aborted).toBe(true)
  })

  test('a signal that is read afterwards is already aborted', () => {
    const cancellation = new Cancellation()
    cancellation.cancel()
    expect(requestOf(cancellation).signal.aborted).toBe(true)
  })

  test('calls each listener once, at once if it is already cancelled, and not after it unsubscribed', () => {
    const cancellation = new Cancellation()
    const request = requestOf(cancellation)
    const heard: string[] = []
    onCancelled(request, () => heard.push('stays'))
    const leave = onCancelled(request, () => heard.push('leaves'))
    leave()
    cancellation.cancel()
    cancellation.cancel()
    onCancelled(request, () => heard.push('late'))
    expect(heard).toEqual(['stays', 'late'])
  })

  test('a request with a signal of its own is cancelled by that', () => {
    const abort = new AbortController()
    const heard: string[] = []
    onCancelled({ signal: abort.signal }, () => heard.push('aborted'))
    abort.abort()
    expect(heard).toEqual(['aborted'])
  })
})
