import type { IncomingMessage } from 'node:http'
import type { Endpoint } from '../endpoints.js'
import type { Fault, FaultRule } from './fault.js'

interface PendingRule {
  readonly rule: FaultRule
  left: number
}

/** The faults that have not happened yet, oldest first, and the one that each request under way has drawn. */
export class FaultQueue {
  #pending: PendingRule[] = []
  readonly #drawn = new WeakMap<IncomingMessage, Fault>()

  add(rule: FaultRule): void {
    this.#pending.push({ rule, left: rule.times === 'until-cleared' ? Infinity : (rule.times ?? 1) })
  }

  /** Draws the next fault for a request, if one waits for its endpoint. `fits` may leave it for a later request. */
  draw(request: IncomingMessage, endpoint: Endpoint, fits: (rule: FaultRule) => boolean): Fault | undefined {
    const index = this.#pending.findIndex(({ rule }) => rule.endpoint === endpoint && fits(rule))
    const found = this.#pending[index]
    if (found === undefined) return undefined
    found.left -= 1
    if (found.left <= 0) this.#pending.splice(index, 1)
    this.#drawn.set(request, found.rule.fault)
    return found.rule.fault
  }

  drawnBy(request: IncomingMessage): Fault | undefined {
    return this.#drawn.get(request)
  }

  clear(endpoint?: Endpoint): void {
    this.#pending = endpoint === undefined ? [] : this.#pending.filter(({ rule }) => rule.endpoint !== endpoint)
  }

  /** What has not happened yet, with how many answers each has left. */
  get pending(): readonly FaultRule[] {
    return this.#pending.map(({ rule, left }) => ({ ...rule, times: left === Infinity ? 'until-cleared' : left }))
  }
}
