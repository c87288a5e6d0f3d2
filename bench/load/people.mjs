import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBrowser } from '../lib/browser.mjs'

const AT_ONCE = 8
const ATTEMPTS = 5
const PAUSE_MS = 1_000

/**
 * Signs so many different people in, each in a browser of their own.
 * @returns {Promise<{ cookie: string, sub: string }[]>}
 */
export async function signEverybodyIn(url, count) {
  const agent = new Agent({ keepAlive: true })
  const people = []
  let next = 0
  const some = async () => {
    while (next < count) {
      const index = next
      next += 1
      people[index] = await trySignIn(`person-${index}`, url, agent)
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, some))
  } finally {
    agent.destroy()
  }
  if (new Set(people.map(({ sub }) => sub)).size !== count) throw new Error('two people signed in as the same')
  return people
}

/** Signing in is not what is judged: on a machine that is too busy it may take another attempt. */
async function trySignIn(key, url, agent) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await signInAs(key, url, agent)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await sleep(PAUSE_MS)
    }
  }
}

/** Presses a person's button on the sandbox's sign-in page. */
async function signInAs(key, url, agent) {
  const browser = createBrowser({ agent })
  const login = await browser.visit(`${url}/auth/login?return_to=/me`)
  if (login.location === undefined) throw new Error(`/auth/login answered ${login.status}: ${login.text.slice(0, 300)}`)
  const authorize = new URL(login.location)
  const body = new URLSearchParams([...authorize.searchParams, ['person', key]])
  authorize.search = ''
  const answer = await fetch(authorize, { method: 'POST', body, redirect: 'manual' })
  const { status, text } = await browser.go(answer.headers.get('location') ?? authorize.href)
  if (status !== 200) throw new Error(`signing in as ${key} ended with ${status}: ${text.slice(0, 300)}`)
  return { cookie: browser.cookieFor(url), sub: JSON.parse(text).sub }
}
