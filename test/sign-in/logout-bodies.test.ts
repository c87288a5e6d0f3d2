import { type RequestOptions, request } from 'node:http'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import express, { type Express, type RequestHandler } from 'express'
import { isSignedIn } from '../support/attempts.js'
import type { CookieBrowser } from '../support/cookie-browser.js'
import { startWorld, type World } from '../support/world.js'

/** Express 4 has no types here; what is used of it is the same. */
const express4 = createRequire(import.meta.url)('express4') as typeof express
const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const MULTIPART = 'multipart/form-data; boundary=b'
const parts = (fields: readonly (readonly [string, string])[]): string =>
  `${fields.map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`).join('')}--b--\r\n`

interface Sent {
  readonly type?: string
  readonly body?: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
  readonly isChunked?: boolean
}

interface Got {
  readonly status: number
  readonly type: string
  readonly accept: string
  readonly text: string
}

/** Sends exactly what it is told; a large body may be refused before all of it has left. */
function post(world: World, browser: CookieBrowser, sent: Sent, accept = 'application/json'): Promise<Got> {
  const bytes = Buffer.from(sent.body ?? '')
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: {
      Accept: accept,
      'Sec-Fetch-Site': 'same-origin',
      Cookie: [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(sent.type === undefined ? {} : { 'Content-Type': sent.type }),
      ...(sent.isChunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': String(bytes.length) }),
      ...sent.headers,
    },
  }
  return new Promise((resolve, reject) => {
    const req = request(`${world.url}/auth/logout${sent.query ?? ''}`, options, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      res.on('end', () => {
        const { 'content-type': type = '', accept: taken } = res.headers
        resolve({ status: res.statusCode ?? 0, type, accept: String(taken ?? ''), text })
      })
    })
    req.on('error', reject).end(bytes)
  })
}

const REFUSED: readonly (readonly [string, number, Sent])[] = [
  ['multipart', 415, { type: MULTIPART, body: parts([['everywhere', '1']]) }],
  ['multipart, chunked', 415, { type: MULTIPART, body: parts([['everywhere', '1']]), isChunked: true }],
  ['plain text', 415, { type: 'text/plain', body: 'everywhere=1' }],
  ['a body without a type', 415, { body: 'everywhere=1' }],
  ['a body of an unknown type', 415, { type: 'application/xml', body: '<everywhere>1</everywhere>' }],
  ['binary data', 415, { type: 'application/octet-stream', body: 'everywhere=1' }],
  ['JSON in latin1', 415, { type: `${JSON_TYPE}; charset=iso-8859-1`, body: '{"everywhere":true}' }],
  [
    'JSON in utf-16',
    415,
    { type: `${JSON_TYPE}; charset=utf-16`, body: Buffer.from('{"everywhere":true}', 'utf16le') },
  ],
  ['a form in EUC-KR', 415, { type: `${FORM}; charset=euc-kr`, body: 'everywhere=1' }],
  ['an unknown encoding', 415, { type: FORM, body: 'everywhere=1', headers: { 'Content-Encoding': 'zzz' } }],
  ['broken JSON', 400, { type: JSON_TYPE, body: '{"everywhere":tru' }],
  ['a JSON array', 400, { type: JSON_TYPE, body: '[{"everywhere":true}]' }],
  ['a JSON text', 400, { type: JSON_TYPE, body: '"everywhere=1"' }],
  ['JSON null', 400, { type: JSON_TYPE, body: 'null' }],
  ['JSON that is not UTF-8', 400, { type: JSON_TYPE, body: Buffer.from('{"everywhere":true,"a":"\xff"}', 'latin1') }],
  ['a broken escape', 400, { type: FORM, body: 'every%zzwhere=1' }],
  ['an invalid gzip body', 400, { type: FORM, body: 'everywhere=1', headers: { 'Content-Encoding': 'gzip' } }],
  ['contradictory fields', 400, { type: FORM, body: 'everywhere=0&everywhere=1' }],
  ['contradictory fields in the query', 400, { query: '?everywhere=0&everywhere=1' }],
  ['contradictory spellings of a field', 400, { type: FORM, body: 'everywhere=0&everywhere[]=1' }],
  ['a body that contradicts the query', 400, { type: FORM, body: 'everywhere=0', query: '?everywhere=1' }],
  ['an unknown value', 400, { type: FORM, body: 'everywhere=perhaps' }],
  ['an unknown number', 400, { type: JSON_TYPE, body: '{"everywhere":2}' }],
  ['an object', 400, { type: JSON_TYPE, body: '{"everywhere":{"a":1}}' }],
  ['a body that is too large', 413, { type: FORM, body: `everywhere=1&a=${'x'.repeat(9_000)}` }],
  ['a gzip bomb', 413, { type: FORM, body: gzipSync('x'.repeat(1e6)), headers: { 'Content-Encoding': 'gzip' } }],
]

const EVERYWHERE: readonly (readonly [string, Sent])[] = [
  ['a form', { type: FORM, body: 'everywhere=1' }],
  ['a form, chunked', { type: FORM, body: 'everywhere=1', isChunked: true }],
  ['a form in gzip', { type: FORM, body: gzipSync('everywhere=1'), headers: { 'Content-Encoding': 'gzip' } }],
  ['a form with a charset', { type: `${FORM}; charset=UTF-8`, body: 'everywhere=on' }],
  ['a value in capitals', { type: FORM, body: 'everywhere=TRUE' }],
  ['JSON', { type: JSON_TYPE, body: '{"everywhere":true}' }],
  ['JSON:API', { type: 'application/vnd.api+json; charset="utf-8"', body: '{"everywhere":1}' }],
  ['the query', { query: '?everywhere=1' }],
  ['the query, with a type and no body', { type: MULTIPART, query: '?everywhere=yes' }],
  ['a list of one', { type: FORM, body: 'everywhere[]=1' }],
  ['a list of one in the query', { query: '?everywhere%5B0%5D=1' }],
  ['a name in capitals', { type: JSON_TYPE, body: '{"Everywhere":true}' }],
  ['a form that begins with a byte order mark', { type: FORM, body: '\ufeffeverywhere=1' }],
  ['the same value twice', { type: FORM, body: 'everywhere=1&everywhere=true' }],
]

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('body of POST /logout, %s', (_name, createApp) => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ createApp })
  })
  afterAll(() => world.close())

  test.each(REFUSED)('%s gets %i and signs nobody out', async (_what, status, sent) => {
    const [one, two] = [await world.signedIn(), await world.signedIn()]
    const api = await post(world, one, sent)
    expect([api.status, api.type]).toEqual([status, 'application/problem+json; charset=utf-8'])
    expect(JSON.parse(api.text)).toMatchObject({ status, detail: expect.stringContaining('Nothing was changed') })
    expect(api.accept !== '').toBe(status === 415)
    const page = await post(world, one, sent, 'text/html')
    expect([page.status, page.type]).toEqual([status, 'text/html; charset=utf-8'])
    expect(page.text).toContain(`href="${world.url}/auth/logout"`)
    expect([await isSignedIn(world, one), await isSignedIn(world, two)]).toEqual([true, true])
  })

  test.each(EVERYWHERE)('C29 everywhere=1 as %s ends both sign-ins', async (_what, sent) => {
    const [one, two] = [await world.signedIn(), await world.signedIn()]
    const answer = await post(world, one, sent)
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { signedOut: true }])
    expect([await isSignedIn(world, one), await isSignedIn(world, two)]).toEqual([false, false])
  })

  test('no body, an empty body with a type, and unknown fields sign out this browser', async () => {
    for (const sent of [
      {},
      { type: MULTIPART },
      { type: JSON_TYPE, body: '{}' },
      { type: FORM, body: '_csrf=%B7%CE' },
    ]) {
      const [one, two] = [await world.signedIn(), await world.signedIn()]
      expect((await post(world, one, sent)).status).toBe(200)
      expect([await isSignedIn(world, one), await isSignedIn(world, two)]).toEqual([false, true])
    }
  })

  test('everywhere=1 without a sign-in reports that nothing was ended', async () => {
    const api = await post(world, world.browser(), EVERYWHERE[0]?.[1] ?? {})
    expect([api.status, JSON.parse(api.text).code]).toEqual([401, 'signed_out'])
    const page = await post(world, world.browser(), EVERYWHERE[0]?.[1] ?? {}, 'text/html')
    expect([page.status, page.text.includes('You are not signed in here')]).toEqual([409, true])
  })
})

/** Reads a body and leaves nothing, as a logger does. */
const swallow: RequestHandler = (req, _res, next) => {
  req.on('end', () => next()).resume()
}
/** As multer leaves the fields of a form behind. */
const multer: RequestHandler = (req, _res, next) => {
  const fields = { __proto__: null, everywhere: '1' }
  req.on('end', () => next(Object.assign(req, { body: fields }) && undefined)).resume()
}

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('body of POST /logout already read by the app, %s', (_name, createApp) => {
  const form = EVERYWHERE[0]?.[1] ?? {}
  const json: Sent = { type: JSON_TYPE, body: '{"everywhere":true}' }
  const multipart: Sent = { type: MULTIPART, body: parts([['everywhere', '1']]) }
  const parsers: readonly (readonly [string, () => readonly RequestHandler[], Sent, number])[] = [
    ['its own form parser', () => [createApp.urlencoded({ extended: true })], form, 200],
    ['its own JSON parser', () => [createApp.json()], json, 200],
    ['a parser of raw bytes', () => [createApp.raw({ type: '*/*' })], form, 200],
    ['a parser of text', () => [createApp.text({ type: '*/*' })], json, 200],
    ['multer', () => [multer], multipart, 200],
    ['both parsers, which skip multipart', () => [createApp.json(), createApp.urlencoded()], multipart, 415],
    ['a logger that consumes it', () => [swallow], form, 415],
    ['a parser that skips it, then a logger', () => [createApp.json(), swallow], form, 415],
    ['a parser of raw bytes, as multipart', () => [createApp.raw({ type: '*/*' })], multipart, 415],
    ['an array of JSON', () => [createApp.json()], { type: JSON_TYPE, body: '[1]' }, 400],
  ]

  test.each(parsers)('read by %s', async (_what, handlers, sent, status) => {
    const mount = (app: Express, auth: RequestHandler): void => void app.use(...handlers(), auth)
    const world = await startWorld({ createApp, mount })
    try {
      const [one, two] = [await world.signedIn(), await world.signedIn()]
      expect((await post(world, one, sent)).status).toBe(status)
      const isIn = status !== 200
      expect([await isSignedIn(world, one), await isSignedIn(world, two)]).toEqual([isIn, isIn])
    } finally {
      await world.close()
    }
  })
})
