import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { ERROR_CATALOGUE, isPpoppoError, PpoppoError, type PpoppoErrorCode } from '../src/index.js'

const CODES = Object.keys(ERROR_CATALOGUE) as PpoppoErrorCode[]
const SOURCE = fileURLToPath(new URL('../src/', import.meta.url))

describe('the error catalogue', () => {
  test.each(CODES)('%s: a status, a meaning, an error that narrows', (code) => {
    const { status, retryable, meaning } = ERROR_CATALOGUE[code]
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect(meaning).toMatch(/^[A-Za-z`].*\.$/)
    const error = new PpoppoError(code, 'what happened, what to do')
    expect(error).toMatchObject({ name: 'PpoppoError', code, status, retryable, message: 'what happened, what to do' })
    expect([isPpoppoError(error), isPpoppoError(error, code), isPpoppoError(new Error(code))]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('every code is raised somewhere, and by nobody outside of it', () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const text = files
      .filter((file) => file !== 'errors.ts')
      .map((file) => readFileSync(join(SOURCE, file), 'utf8'))
      .join('\n')
    for (const code of CODES) expect(text).toContain(`'${code}'`)
  })

  test('a cause is kept for the program, and is not in the message', () => {
    const error = new PpoppoError('store_unavailable', 'the store is down', {
      cause: new Error('rt_secret'),
      retryAfterMs: 5,
    })
    expect(error.retryAfterMs).toBe(5)
    expect(error.message + error.stack + JSON.stringify(error)).not.toContain('rt_secret')
    expect(inspect(new PpoppoError('closed', 'closed'))).not.toContain('cause')
  })

  test('what an error does not know it has no field for: Node prints nothing undefined under it', () => {
    expect(Object.keys(new PpoppoError('closed', 'closed'))).toEqual(['name', 'code', 'status', 'retryable', 'docsUrl'])
    expect(inspect(new PpoppoError('closed', 'closed'))).not.toContain('undefined')
    expect(inspect(new PpoppoError('rate_limited', 'wait', { retryAfterMs: 5, grpcCode: 8 }))).toMatch(
      /retryAfterMs: 5,\s+grpcCode: 8/,
    )
  })
})
