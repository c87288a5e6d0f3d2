import { signIn } from '../lib/browser.mjs'
import { withApps } from './http-apps.mjs'

export const id = 'B9'
export const title = 'Redis memory of a signed-in person'
export const reference = 'bare'
export const metrics = {
  bytes: { label: 'bytes, settled', absolute: true, goal: { most: 1_400 } },
  keys: { label: 'keys', absolute: true },
}
const PEOPLE = 100

/** Signs in many times, and counts what each sign-in keeps once its attempt is over. */
export function run(context) {
  const names = ['bare', 'passport', 'express-openid-connect (Redis)', 'express-ppoppo']
  return withApps(context, names, async (apps) => {
    const found = {}
    for (const name of names) {
      await context.redis.client.flushdb()
      for (let person = 0; person < PEOPLE; person += 1) await signIn(apps[name].url)
      const { keys, bytes } = await context.redis.settledMemory()
      found[name] = { bytes: [bytes / PEOPLE], keys: [keys / PEOPLE] }
    }
    return found
  })
}
