import { describe, expect, test } from '@jest/globals'
import { formatDifference } from '../../src/pages/time-difference.js'

describe('formatDifference', () => {
  test.each([
    [90, 'en', '90 seconds'],
    [119, 'ko', '119초'],
    [120, 'en', '2 minutes'],
    [7_199, 'ko', '120분'],
    [32_400, 'en', '9 hours'],
    [32_400, 'ko', '9시간'],
    [200_000, 'en', '2 days'],
    [90, 'en-12', '90 seconds'],
  ])('%i s in %s is "%s"', (seconds, language, text) => {
    expect(formatDifference(seconds, language)).toBe(text)
  })
})
