import { compareGets } from './compare-gets.mjs'

export const id = 'B2'
export const title = 'Public page, no cookie, 32 connections'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU per request', unit: 'us', goal: { most: 1 } },
  perSecond: { label: 'requests/s', unit: '/s' },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  return compareGets(context, { path: '/', isSignedIn: false })
}
