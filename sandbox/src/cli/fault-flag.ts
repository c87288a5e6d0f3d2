import { type FaultRule, parseFaultRule } from '../faults/fault.js'
import { parsePcsFaultRule } from '../pcs/faults/parse-pcs-fault.js'
import type { PcsFaultRule } from '../pcs/faults/pcs-fault.js'
import { isPcsMethod } from '../pcs/wire/methods.js'
import { UsageError } from './usage-error.js'

/** `<endpoint or method>:<kind>[:<figure>][@<times>]`; a fault the sandbox starts with stays until cleared. */
export function parseFaultFlags(texts: readonly string[]): {
  readonly faults: readonly FaultRule[]
  readonly pcsFaults: readonly PcsFaultRule[]
} {
  const isForPcs = (text: string): boolean => isPcsMethod(text.split(':')[0])
  return {
    faults: texts.filter((text) => !isForPcs(text)).map((text) => refusing(text, parseFlag)),
    pcsFaults: texts.filter(isForPcs).map((text) => refusing(text, parsePcsFlag)),
  }
}

function parseFlag(text: string): FaultRule {
  const { target, kind, figure, times } = partsOf(text)
  const value = figure === undefined ? {} : { [kind === 'status' ? 'status' : 'delayMs']: Number(figure) }
  return parseFaultRule({ endpoint: target, fault: { kind, ...value }, times })
}

/** Which field the figure is, by kind. */
const PCS_FIGURES: { readonly [kind: string]: string } = {
  status: 'code',
  rst: 'rstCode',
  'end-after': 'events',
  'end-every': 'everyMs',
}

function parsePcsFlag(text: string): PcsFaultRule {
  const { target, kind = '', figure, times } = partsOf(text)
  const number = Number(figure)
  const value = figure === undefined ? {} : { [PCS_FIGURES[kind] ?? 'delayMs']: Number.isNaN(number) ? figure : number }
  return parsePcsFaultRule({ method: target, fault: { kind, ...value }, times })
}

function partsOf(text: string) {
  const [what = '', times] = text.split('@')
  const [target, kind, figure] = what.split(':')
  return { target, kind, figure, times: times === undefined ? 'until-cleared' : Number(times) }
}

function refusing<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--fault ${text}: ${error.message}`)
    throw error
  }
}
