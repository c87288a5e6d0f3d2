import { startApp } from '../lib/app.mjs'

/** The apps that are compared by HTTP: kind (file in `apps/`) and options, by the name in the tables. */
export const APPS = {
  bare: ['bare', {}],
  passport: ['passport', {}],
  'express-openid-connect (Redis)': ['eoc', { sessionIn: 'redis' }],
  'express-openid-connect (cookie)': ['eoc', { sessionIn: 'cookie' }],
  'Express alone': ['plain', {}],
  'express-ppoppo': ['ours', {}],
}
export const OURS = 'express-ppoppo'

/**
 * Starts some of the apps, runs `work` with them, and ends them whatever happens.
 * @param {import('../lib/context.mjs').Context} context
 * @param {readonly string[]} names of `APPS`; a digit behind a name makes another process of the same
 */
export async function withApps({ redis, pas, profileOf }, names, work, extra = {}) {
  const apps = {}
  try {
    for (const name of names) {
      const [kind, options] = APPS[name.replace(/ \d$/, '')]
      const settings = { redisUrl: redis.url, issuer: pas.issuer, clientId: 'bench_login_client', ...options, ...extra }
      apps[name] = await startApp(kind, settings, profileOf(name))
    }
    return await work(apps)
  } finally {
    await Promise.all(Object.values(apps).map((app) => app.end()))
  }
}
