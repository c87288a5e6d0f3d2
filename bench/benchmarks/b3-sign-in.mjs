import { Agent } from 'node:http'
import { signIn } from '../lib/browser.mjs'
import { startPas } from '../lib/pas.mjs'
import { measureRounds } from '../lib/rounds.mjs'
import { withApps } from './http-apps.mjs'

export const id = 'B3'
export const title = 'Whole sign-in, login to landing, 8 browsers at once'
export const reference = 'bare'
export const metrics = {
  cpu: { label: 'CPU per sign-in', unit: 'us', goal: { most: 1 } },
  perSecond: { label: 'sign-ins/s', unit: '/s', goal: { least: 1 } },
  oneMs: { label: 'one alone', unit: 'ms' },
  redisCommands: { label: 'Redis commands per sign-in', absolute: true, goal: { most: 8 } },
  inScripts: { label: 'and those that scripts call', absolute: true },
}
const AT_ONCE = 8
/** With more sign-ins than one person may have, each would also end the oldest one, which the others do not do. */
const PER_PERSON = 40
const PEOPLE = 400

/** @param {import('../lib/context.mjs').Context} context */
export async function run(context) {
  const pas = await startPas(PEOPLE)
  try {
    return await compare({ ...context, pas }, createSignIns(pas))
  } finally {
    await pas.end()
  }
}

function compare(context, signInOften) {
  const names = ['bare', 'passport', 'express-openid-connect (Redis)', 'express-ppoppo']
  return withApps(context, names, async (apps) => {
    const flows = context.isQuick ? 40 : 400
    const agent = new Agent({ keepAlive: true, maxSockets: 64 })
    const contenders = {}
    for (const name of names) {
      await signInOften(apps[name].url, agent, flows / 2)
      contenders[name] = async () => {
        const before = await apps[name].measure()
        const startedAt = performance.now()
        await signInOften(apps[name].url, agent, flows)
        const tookMs = performance.now() - startedAt
        const after = await apps[name].measure()
        const aloneAt = performance.now()
        const alone = 10
        for (let index = 0; index < alone; index += 1) await signIn(apps[name].url, { agent })
        const oneMs = (performance.now() - aloneAt) / alone
        const commands = await context.redis.commandsOf(() => signIn(apps[name].url, { agent }))
        return {
          cpu: (after.cpuMicros - before.cpuMicros) / flows,
          perSecond: (flows / tookMs) * 1_000,
          oneMs,
          redisCommands: commands.sent,
          inScripts: commands.inScripts,
        }
      }
    }
    try {
      return await measureRounds(contenders, context.rounds, context.log)
    } finally {
      agent.destroy()
    }
  })
}

/** @returns a function that signs in so often, at most {@link PER_PERSON} times in a row as the same person */
function createSignIns(pas) {
  let begun = 0
  async function next(url, agent) {
    const person = begun / PER_PERSON
    begun += 1
    if (Number.isInteger(person)) await pas.set({ autoSignIn: `person-${person % PEOPLE}` })
    await signIn(url, { agent })
  }
  return async function signInOften(url, agent, flows) {
    let left = flows
    const one = async () => {
      while (left > 0) {
        left -= 1
        await next(url, agent)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
}
