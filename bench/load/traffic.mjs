import { setMaxListeners } from 'node:events'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../lib/ask.mjs'

const PROBE_EVERY_MS = 100
const CAPACITY_REQUESTS = 600
const CAPACITY_AT_ONCE = 16

/**
 * Lets everybody ask who they are, in turn, so many each second; nobody asks twice at a time. Beside them somebody without
 * a cookie asks for a public page, to see how busy the app is.
 */
export function startTraffic({ url, people, perSecond, judge }) {
  const agent = new Agent({ keepAlive: true })
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  const everyMs = (people.length / perSecond) * 1_000
  const loops = people.map(async (person, index) => {
    await pause((index / people.length) * everyMs, stop.signal)
    while (!stop.signal.aborted) {
      const startedAt = performance.now()
      judge.note(await ask(`${url}/me`, person, agent), person)
      await pause(startedAt + everyMs - performance.now(), stop.signal)
    }
  })
  loops.push(probe(url, judge, stop.signal))
  return {
    async stop() {
      stop.abort()
      await Promise.all(loops)
      agent.destroy()
    },
  }
}

/** Everybody once more. */
export async function askAll({ url, people, judge }) {
  const agent = new Agent({ keepAlive: true })
  for (const person of people) judge.note(await ask(`${url}/me`, person, agent), person)
  agent.destroy()
}

/** How many requests of signed-in people the app answers each second, on this machine as busy as it is. */
export async function measureCapacity({ url, people }) {
  const agent = new Agent({ keepAlive: true })
  let next = 0
  const one = async () => {
    while (next < CAPACITY_REQUESTS) {
      const person = people[next % people.length]
      next += 1
      await ask(`${url}/me`, person, agent)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: CAPACITY_AT_ONCE }, one))
  agent.destroy()
  return (CAPACITY_REQUESTS / (performance.now() - startedAt)) * 1_000
}

async function probe(url, judge, signal) {
  const agent = new Agent({ keepAlive: true })
  while (!signal.aborted) {
    judge.noteProbe(await ask(`${url}/`, {}, agent))
    await pause(PROBE_EVERY_MS, signal)
  }
  agent.destroy()
}

async function pause(ms, signal) {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
}
