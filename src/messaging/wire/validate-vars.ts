import { PpoppoError } from '../../errors.js'
import type { TemplateVars } from '../types/calls.js'

/** Each level takes three nested messages; protobuf readers stop at 100 by default. */
const MAX_LEVELS = 30

/**
 * Checks vars: strings, finite numbers, booleans, `null`, lists and plain objects of these.
 * @param path their path, e.g. `recipients[3].vars`
 * @throws `request_invalid` with the path of the first value that is something else
 */
export function assertVars(vars: unknown, path: string): asserts vars is TemplateVars {
  if (typeof vars !== 'object' || vars === null || Array.isArray(vars)) throw refuse(path, 'must be an object')
  assertValue(vars, path, [])
}

function assertValue(value: unknown, path: string, above: readonly object[]): void {
  switch (typeof value) {
    case 'boolean':
      return
    case 'string':
      return assertText(value, path)
    case 'number':
      if (Number.isFinite(value)) return
      throw refuse(path, 'is NaN or infinite; only finite numbers can be sent')
    case 'object':
      if (value !== null) assertObject(value, path, above)
      return
    case 'undefined':
      throw refuse(path, 'is undefined; leave it out, or use null')
    default:
      throw refuse(path, `is a ${typeof value}; only plain data can be sent`)
  }
}

function assertObject(value: object, path: string, above: readonly object[]): void {
  if (above.includes(value)) throw refuse(path, 'contains itself; a cycle cannot be sent')
  if (above.length >= MAX_LEVELS) throw refuse(path, `is nested deeper than ${MAX_LEVELS} levels`)
  const within = [...above, value]
  if (Array.isArray(value)) {
    // Not forEach, which skips the holes of a sparse list.
    for (let index = 0; index < value.length; index++) assertValue(value[index], `${path}[${index}]`, within)
    return
  }
  assertPlain(value, path)
  for (const name of Object.keys(value)) {
    const inner = /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`
    assertText(name, inner)
    // A reader that copies names into an ordinary object would set its prototype instead.
    if (name === '__proto__') throw refuse(inner, 'is not allowed as a name')
    assertValue((value as Readonly<Record<string, unknown>>)[name], inner, within)
  }
}

function assertPlain(value: object, path: string): void {
  if (value instanceof Date) throw refuse(path, 'is a Date; pass a string, e.g. from toISOString()')
  const prototype: unknown = Object.getPrototypeOf(value)
  // Not by identity: a plain object of another realm (a vm, a worker) has another Object.prototype.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (!isPlain || Object.prototype.toString.call(value) !== '[object Object]') {
    throw refuse(path, 'is an instance of a class; only plain objects and lists can be sent')
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw refuse(path, 'has a symbol as a name, which cannot be sent')
}

/** Half a surrogate pair has no UTF-8 encoding: the server would receive another text, or none. */
function assertText(text: string, path: string): void {
  if (/\p{Surrogate}/u.test(text)) throw refuse(path, 'contains half a character (an unpaired surrogate)')
}

function refuse(path: string, problem: string): PpoppoError {
  return new PpoppoError('request_invalid', `"${path}" ${problem}.`)
}
