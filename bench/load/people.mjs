import { Agent } from 'node:http'
import { createBrowser, signIn } from '../lib/browser.mjs'

/**
 * Signs so many different people in, each in a browser of their own.
 * @returns {Promise<{ cookie: string, sub: string }[]>}
 */
export async function signEverybodyIn(url, pas, count) {
  const agent = new Agent({ keepAlive: true })
  const people = []
  try {
    for (let index = 0; index < count; index += 1) {
      await pas.set({ autoSignIn: `person-${index}` })
      const cookie = await signIn(url, { agent })
      const { text } = await createBrowser({ agent, cookie }).visit(`${url}/me`)
      people.push({ cookie, sub: JSON.parse(text).sub })
    }
  } finally {
    agent.destroy()
  }
  if (new Set(people.map(({ sub }) => sub)).size !== count) throw new Error('two people signed in as the same')
  return people
}
