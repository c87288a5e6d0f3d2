import { compareGets } from './compare-gets.mjs'

export const id = 'B1'
export const title = 'Guarded GET of a signed-in person, 32 connections'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU per request', unit: 'us', goal: { most: 0.9 } },
  perSecond: { label: 'requests/s', unit: '/s', goal: { least: 1.1 } },
  redisCommands: { label: 'Redis commands per request', absolute: true, goal: { most: 2.05 } },
  redisCpu: { label: 'CPU of Redis per request', unit: 'us' },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  return compareGets(context, { path: '/me', isSignedIn: true })
}
