import { PpoppoError } from '../../errors.js'
import type { TemplateVars } from '../types/methods.js'

/** Each level takes three nested messages; protobuf readers stop at 100 by default. */
const MAX_LEVELS = 30
/** Half a surrogate pair has no UTF-8 encoding: the server would receive another text, or none. */
const HALF_CHARACTER = 'contains half a character (an unpaired surrogate)'

/** What is wrong, and where: a path from the vars, such as `.address.zip`, is put together only for a fault. */
interface Fault {
  readonly path: string
  readonly problem: string
}

/**
 * Checks vars: strings, finite numbers, booleans, `null`, lists and plain objects of these.
 * @param path called for their path, e.g. `recipients[3].vars`, if there is a fault
 * @throws `request_invalid` with the path of the first value that is something else
 */
export function assertVars(vars: unknown, path: () => string): asserts vars is TemplateVars {
  const isObject = typeof vars === 'object' && vars !== null && !Array.isArray(vars)
  const fault = isObject ? faultOfObject(vars, []) : { path: '', problem: 'must be an object' }
  if (fault !== undefined) throw new PpoppoError('request_invalid', `"${path()}${fault.path}" ${fault.problem}.`)
}

/** @param above the objects that the value is in */
function faultOf(value: unknown, above: object[]): Fault | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'string':
      return value.isWellFormed() ? undefined : here(HALF_CHARACTER)
    case 'number':
      return Number.isFinite(value) ? undefined : here('is NaN or infinite; only finite numbers can be sent')
    case 'object':
      return value === null ? undefined : faultOfObject(value, above)
    case 'undefined':
      return here('is undefined; leave it out, or use null')
    default:
      return here(`is a ${typeof value}; only plain data can be sent`)
  }
}

function faultOfObject(value: object, above: object[]): Fault | undefined {
  if (above.includes(value)) return here('contains itself; a cycle cannot be sent')
  if (above.length >= MAX_LEVELS) return here(`is nested deeper than ${MAX_LEVELS} levels`)
  above.push(value)
  const fault = Array.isArray(value) ? faultOfList(value, above) : faultOfRecord(value, above)
  above.pop()
  return fault
}

function faultOfList(list: readonly unknown[], above: object[]): Fault | undefined {
  // Not forEach, which skips the holes of a sparse list.
  for (let index = 0; index < list.length; index++) {
    const fault = faultOf(list[index], above)
    if (fault !== undefined) return { ...fault, path: `[${index}]${fault.path}` }
  }
  return undefined
}

function faultOfRecord(value: object, above: object[]): Fault | undefined {
  const problem = whyNotPlain(value)
  if (problem !== undefined) return here(problem)
  for (const name of Object.keys(value)) {
    const fault = faultOfName(name) ?? faultOf((value as Readonly<Record<string, unknown>>)[name], above)
    if (fault === undefined) continue
    const step = /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
    return { ...fault, path: `${step}${fault.path}` }
  }
  return undefined
}

function faultOfName(name: string): Fault | undefined {
  if (!name.isWellFormed()) return here(HALF_CHARACTER)
  // A reader that copies names into an ordinary object would set its prototype instead.
  return name === '__proto__' ? here('is not allowed as a name') : undefined
}

function whyNotPlain(value: object): string | undefined {
  if (value instanceof Date) return 'is a Date; pass a string, e.g. from toISOString()'
  const prototype: unknown = Object.getPrototypeOf(value)
  // Not by identity: a plain object of another realm (a vm, a worker) has another Object.prototype.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (!isPlain || Object.prototype.toString.call(value) !== '[object Object]') {
    return 'is an instance of a class; only plain objects and lists can be sent'
  }
  return Object.getOwnPropertySymbols(value).length > 0 ? 'has a symbol as a name, which cannot be sent' : undefined
}

function here(problem: string): Fault {
  return { path: '', problem }
}
