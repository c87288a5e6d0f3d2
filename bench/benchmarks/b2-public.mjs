import { drive } from '../lib/load.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { measureLoad } from './b1-guarded.mjs'
import { APPS, withApps } from './http-apps.mjs'

export const id = 'B2'
export const title = 'Public page, no cookie, 32 connections'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU per request', unit: 'us', goal: { most: 1 } },
  perSecond: { label: 'requests/s', unit: '/s' },
}

/** @param {import('../lib/context.mjs').Context} context */
export function run(context) {
  const names = Object.keys(APPS)
  return withApps(context, names, async (apps) => {
    const requests = context.isQuick ? 1_000 : 12_000
    const contenders = {}
    for (const name of names) {
      const url = `${apps[name].url}/`
      await drive(url, { requests: Math.ceil(requests / 2) })
      contenders[name] = () => measureLoad(context, apps[name], url, { requests })
    }
    return measureRounds(contenders, context.rounds, context.log)
  })
}
