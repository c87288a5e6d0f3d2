import { expect, test } from '@jest/globals'
import { resolveConfig } from '../../src/config/config.js'

const OPTIONS = { clientId: 'acme', baseUrl: 'http://localhost:3000' }
const knownOf = (env: NodeJS.ProcessEnv, options: object = {}): string | undefined =>
  resolveConfig({ ...OPTIONS, ...options }, env).oneOfSeveral

// What pm2 7 puts into the environment of each process it runs.
test.each([
  ['the first of two pm2 processes', { pm_id: '4', NODE_APP_INSTANCE: '0', instances: '2' }],
  ['the second of two pm2 processes', { pm_id: '5', NODE_APP_INSTANCE: '1', instances: '2' }],
  ['one pm2 process per core', { pm_id: '0', NODE_APP_INSTANCE: '0', instances: 'max' }],
  ['a second instance by NODE_APP_INSTANCE alone', { NODE_APP_INSTANCE: '1' }],
])('S11 %s: a warning for the memory store, none for Redis', (_name, env) => {
  expect(knownOf(env)).toMatch(/pm2|NODE_APP_INSTANCE/)
  expect(knownOf({ ...env, REDIS_URL: 'redis://127.0.0.1:6379' })).toBeUndefined()
})

test.each([
  ['a single process', {}],
  ['a single pm2 process', { pm_id: '2', NODE_APP_INSTANCE: '0', instances: '1' }],
  ['the first instance by NODE_APP_INSTANCE alone', { NODE_APP_INSTANCE: '0' }],
  ['NODE_APP_INSTANCE that is not a number', { NODE_APP_INSTANCE: 'blue' }],
])('S11 %s: no warning', (_name, env) => {
  expect(knownOf(env)).toBeUndefined()
})

test('S11 Passenger: a warning for the memory store', () => {
  Object.assign(globalThis, { PhusionPassenger: {} })
  expect(knownOf({})).toContain('Passenger')
  Reflect.deleteProperty(globalThis, 'PhusionPassenger')
})
