import type { Config } from '../config/options.js'
import { Aborted, AnswerTooLong, ask, NoAnswer, type ReadAnswer } from '../lib/http.js'
import type { Runtime } from '../lib/runtime.js'
import { judgeNetwork } from '../provider/network-faults.js'

/** The largest answer that is read. */
const MAX_BYTES = 512 * 1024

/** What asking PAS needs. */
export interface AskParts {
  readonly config: Pick<Config, 'fetch'>
  readonly runtime: Runtime
  readonly timeoutMs: number
}

/** PAS did not answer at all. */
export class Unreachable extends Error {
  /** What to do, as a sentence. */
  readonly todo: string

  constructor(why: string, todo: string) {
    super(why)
    this.todo = todo
  }
}

/** An answer, and by how much the clock that stamped it is ahead of ours. */
export interface TimedAnswer extends ReadAnswer {
  /** By its `Date` and `Age`, to the second; `undefined` if it has none. */
  readonly aheadSeconds?: number
}

/** One GET without cookies; no redirect is followed. @throws Unreachable */
export async function get(url: string, { config, runtime, timeoutMs }: AskParts): Promise<TimedAnswer> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), timeoutMs)
  const askedAt = runtime.now()
  try {
    const headers = { accept: 'application/json, text/html;q=0.9' }
    const request = { method: 'GET', headers, redirect: 'manual', signal: deadline.signal } as const
    const answer = await ask(config.fetch ?? runtime.fetch, url, request, MAX_BYTES)
    const date = Date.parse(answer.headers.get('date') ?? '')
    const ageMs = Number(answer.headers.get('age') ?? 0) * 1_000
    const middle = (askedAt + runtime.now()) / 2
    return Number.isNaN(date) ? answer : { ...answer, aheadSeconds: Math.round((date + ageMs + 500 - middle) / 1_000) }
  } catch (error) {
    throw toUnreachable(error, url, timeoutMs)
  } finally {
    clearTimeout(timer)
  }
}

/** Never quotes the error: it may quote what was sent. */
function toUnreachable(error: unknown, url: string, timeoutMs: number): Unreachable {
  const todo = 'Check PPOPPO_AUTH_URL and the network.'
  if (error instanceof Aborted) return new Unreachable(`There was no answer within ${timeoutMs} ms.`, todo)
  if (error instanceof AnswerTooLong) return new Unreachable('Its answer is too long.', todo)
  if (error instanceof NoAnswer) return new Unreachable(`The option "fetch": ${error.message}.`, 'Fix that function.')
  const { why, todo: advice } = judgeNetwork(error, url)
  return new Unreachable(`${why}.`, `${advice}.`)
}
