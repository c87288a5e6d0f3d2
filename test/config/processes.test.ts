import { expect, test } from '@jest/globals'
import { resolveConfig } from '../../src/config/config.js'

const OPTIONS = { clientId: 'acme', baseUrl: 'http://localhost:3000' }
const knownOf = (env: NodeJS.ProcessEnv, options: object = {}): string | undefined =>
  resolveConfig({ ...OPTIONS, ...options }, env).oneOfSeveral

// What pm2 7 puts into the environment of each process it runs.
test.each([
  ['two processes of pm2, the first', { pm_id: '4', NODE_APP_INSTANCE: '0', instances: '2' }],
  ['two processes of pm2, the second', { pm_id: '5', NODE_APP_INSTANCE: '1', instances: '2' }],
  ['as many as there are cores', { pm_id: '0', NODE_APP_INSTANCE: '0', instances: 'max' }],
  ['a second one, of something that only counts', { NODE_APP_INSTANCE: '1' }],
])('S11 %s: a memory store is worth a warning, Redis is not', (_name, env) => {
  expect(knownOf(env)).toMatch(/pm2|NODE_APP_INSTANCE/)
  expect(knownOf({ ...env, REDIS_URL: 'redis://127.0.0.1:6379' })).toBeUndefined()
})

test.each([
  ['a process of its own', {}],
  ['one process of pm2', { pm_id: '2', NODE_APP_INSTANCE: '0', instances: '1' }],
  ['the first of perhaps one', { NODE_APP_INSTANCE: '0' }],
  ['a number that is none', { NODE_APP_INSTANCE: 'blue' }],
])('S11 %s: no warning', (_name, env) => {
  expect(knownOf(env)).toBeUndefined()
})

test('S11 under Passenger: a memory store is worth a warning', () => {
  Object.assign(globalThis, { PhusionPassenger: {} })
  expect(knownOf({})).toContain('Passenger')
  Reflect.deleteProperty(globalThis, 'PhusionPassenger')
})
