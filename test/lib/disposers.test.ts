import { expect, test } from '@jest/globals'
import { Disposers } from '../../src/lib/disposers.js'

test('disposers run once, in order, and what is added later runs at once', () => {
  const calls: string[] = []
  const disposers = new Disposers()
  disposers.add(() => calls.push('first'))
  disposers.add(() => calls.push('second'))
  disposers.dispose()
  disposers.dispose()
  disposers.add(() => calls.push('late'))

  expect(calls).toEqual(['first', 'second', 'late'])
})
