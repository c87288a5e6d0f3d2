import type { PcsMethod } from '../wire/methods.js'
import type { PcsFault, PcsFaultRule } from './pcs-fault.js'

interface PendingRule {
  readonly rule: PcsFaultRule
  left: number
}

/** The faults that have not happened yet, oldest first; each call draws one. */
export class PcsFaultQueue {
  #pending: PendingRule[] = []

  add(rule: PcsFaultRule): void {
    this.#pending.push({ rule, left: rule.times === 'until-cleared' ? Infinity : (rule.times ?? 1) })
  }

  draw(method: PcsMethod): PcsFault | undefined {
    const index = this.#pending.findIndex(({ rule }) => rule.method === method)
    const found = this.#pending[index]
    if (found === undefined) return undefined
    found.left -= 1
    if (found.left <= 0) this.#pending.splice(index, 1)
    return found.rule.fault
  }

  clear(method?: PcsMethod): void {
    this.#pending = method === undefined ? [] : this.#pending.filter(({ rule }) => rule.method !== method)
  }

  /** What has not happened yet, with how many calls each has left. */
  get pending(): readonly PcsFaultRule[] {
    return this.#pending.map(({ rule, left }) => ({ ...rule, times: left === Infinity ? 'until-cleared' : left }))
  }
}
