import { createHmac } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import type { Request } from 'express'
import { createSessionCookie } from '../../src/session/session-cookie.js'

const SECRET = 'a secret'
const SESSIONS = 2_000

test('what is remembered of a cookie does not keep the rest of a long Cookie header in memory', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const cookie = createSessionCookie({ names: { session: 'ppoppo' } as never, isHttps: false })
  const readOne = (number: number): string | undefined => {
    const id = `${number}`.padStart(32, 'i')
    const signature = createHmac('sha256', SECRET).update(id).digest('base64').replaceAll('=', '')
    // Without percent-encoding, so that its value is a part of the header.
    const header = Buffer.from(`more=${'x'.repeat(14_000)}; ppoppo=s:${id}.${signature}`).toString()
    return cookie.read({ headers: { cookie: header } } as Request, [SECRET])?.id
  }
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let number = 0; number < SESSIONS; number++) expect(readOne(number)).toHaveLength(32)
  collectGarbage()
  // 28 MB of headers, of which 2 million characters may be kept whole.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000)
  expect(readOne(1)).toHaveLength(32)
})
