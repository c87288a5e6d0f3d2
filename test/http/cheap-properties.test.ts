import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import express, { type Request, type Response } from 'express'
import request from 'supertest'
import { cheapProperties } from '../../src/http/cheap-properties.js'
import { ppoppo } from '../../src/index.js'

setFlagsFromString('--allow-natives-syntax')
const hasHiddenClass: (object: object) => boolean = runInThisContext('(object) => %HasFastProperties(object)')

test('a request and its answer are hash tables, and have what they had', async () => {
  const seen: Record<string, unknown>[] = []
  const look = (req: Request, res: Response): Record<string, unknown> => ({
    asked: Object.keys(req).sort(),
    answer: Object.keys(res).sort(),
    socket: Reflect.get(req, 'client') === req.socket,
    req: res.req === req,
    hidden: [hasHiddenClass(req), hasHiddenClass(res)],
  })
  const app = express()
  app.use((req, res, next) => {
    seen.push(look(req, res))
    next()
  }, cheapProperties)
  app.use((req, res) => {
    seen.push(look(req, res))
    res.json(seen)
  })
  const { body } = await request(app).get('/')
  const [before, after] = body
  expect(before).toMatchObject({ socket: true, req: true })
  // On Node 24 the answer may be a hash table already.
  expect(before.hidden).toContain(true)
  expect(after).toEqual({ ...before, hidden: [false, false] })
})

test.each<[string, () => object]>([
  ['without the property', () => ({ url: '/' })],
  ['that takes no more properties', () => Object.preventExtensions({ client: 1, req: 2 })],
  ['that is frozen', () => Object.freeze({ client: 1, req: 2 })],
  ['whose property is a getter', () => Object.defineProperties({}, { client: { get: () => 1, configurable: true } })],
])('an object %s is as it was', (_name, create) => {
  const [object, same] = [create(), create()]
  let calls = 0
  cheapProperties(object as Request, object as Response, () => {
    calls += 1
  })
  expect(calls).toBe(1)
  expect(Object.getOwnPropertyNames(object)).toEqual(Object.getOwnPropertyNames(same))
  expect(Reflect.get(object, 'client')).toBe(Reflect.get(same, 'client'))
})

test.each(['auth', 'auth.session'] as const)('a request behind app.use(%s) is one', async (name) => {
  const auth = ppoppo({
    clientId: 'test',
    baseUrl: 'http://localhost:3000',
    issuer: 'http://localhost:9',
    onEvent() {},
  })
  const app = express()
  app.use(name === 'auth' ? auth : auth.session, (req, res) => {
    res.json([hasHiddenClass(req), hasHiddenClass(res)])
  })
  try {
    expect((await request(app).get('/')).body).toEqual([false, false])
  } finally {
    await auth.close()
  }
})
