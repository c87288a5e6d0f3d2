import { join } from 'node:path'
import { startChild } from '../lib/children.mjs'
import { installForProduction } from '../lib/installs.mjs'
import { measureRounds, median } from '../lib/rounds.mjs'
import { APPS } from './http-apps.mjs'

export const id = 'B8'
export const title = 'Importing and creating the app; a production install'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU', unit: 'us' },
  tookMs: { label: 'time from the start of the process', unit: 'ms', goal: { most: 1.22 } },
  packages: { label: 'packages installed', absolute: true, goal: { most: 125 } },
  megabytes: { label: 'MB installed', absolute: true, goal: { most: 16 } },
}
const STACK = ['express', 'express-session', 'ioredis']
const INSTALLS = {
  bare: [...STACK, 'connect-redis', 'openid-client'],
  passport: [...STACK, 'connect-redis', 'passport', 'passport-oauth2'],
  'express-openid-connect (Redis)': ['express', 'ioredis', 'connect-redis', 'express-openid-connect'],
  'express-ppoppo': [...STACK, 'express-ppoppo'],
}

/**
 * Each app starts from a production install of its own: so it loads what an app of somebody's would, and that once.
 * @param {import('../lib/context.mjs').Context} context
 */
export async function run({ redis, pas, rounds, isQuick, log }) {
  const installs = []
  try {
    const contenders = {}
    for (const [name, packages] of Object.entries(INSTALLS)) {
      log(`installing ${packages.join(' ')}`)
      const install = await installForProduction(packages)
      installs.push(install)
      const [kind, options] = APPS[name]
      const settings = {
        ...options,
        baseUrl: 'http://localhost:3000',
        redisUrl: redis.url,
        issuer: pas.issuer,
        clientId: 'bench_login_client',
      }
      const script = join(install.apps, 'start-time.mjs')
      contenders[name] = () => measureStarts(script, [kind, JSON.stringify(settings)], isQuick ? 1 : 9)
    }
    const found = await measureRounds(contenders, rounds, log)
    Object.keys(INSTALLS).forEach((name, index) => {
      const { packages, megabytes } = installs[index]
      Object.assign(found[name], { packages: [packages], megabytes: [megabytes] })
    })
    return found
  } finally {
    for (const { remove } of installs) remove()
  }
}

/** Medians of several starts, each in a new process. */
async function measureStarts(script, args, often) {
  const starts = []
  for (let index = 0; index < often; index += 1) {
    const child = await startChild(script, args)
    starts.push(child.first)
    await child.end()
  }
  return { tookMs: median(starts.map(({ tookMs }) => tookMs)), cpu: median(starts.map(({ cpuMicros }) => cpuMicros)) }
}
