import type { TemplateValue, TemplateVars } from '../types/methods.js'

/*
 * Plain data <-> `google.protobuf.Struct`. By hand, because proto-loader turns a plain object into an empty Struct. The field
 * names depend on the source of the type: proto-loader's own has camelCase names, one from a descriptor set the official
 * snake_case.
 */

interface Names {
  readonly null: string
  readonly number: string
  readonly string: string
  readonly boolean: string
  readonly struct: string
  readonly list: string
}

const SNAKE: Names = {
  null: 'null_value',
  number: 'number_value',
  string: 'string_value',
  boolean: 'bool_value',
  struct: 'struct_value',
  list: 'list_value',
}
const CAMEL: Names = {
  null: 'nullValue',
  number: 'numberValue',
  string: 'stringValue',
  boolean: 'boolValue',
  struct: 'structValue',
  list: 'listValue',
}

/** How a descriptor defines `Struct`. */
export interface StructShape {
  /** Whether it is `string_value` rather than `stringValue`. */
  readonly isSnakeCase: boolean
  /** Whether its map is a list of entries, as protobufjs reads a descriptor set; the same on the wire. */
  readonly isListOfEntries: boolean
}

/** Converts checked vars to a `Struct`. */
export function toStruct(vars: TemplateVars, shape: StructShape): object {
  const names = shape.isSnakeCase ? SNAKE : CAMEL
  const entries = Object.entries(vars).map(([name, value]) => [name, toValue(value, names, shape)] as const)
  if (shape.isListOfEntries) return { fields: entries.map(([key, value]) => ({ key, value })) }
  return { fields: Object.fromEntries(entries) }
}

function toValue(value: TemplateValue, names: Names, shape: StructShape): object {
  if (value === null) return { [names.null]: 'NULL_VALUE' }
  switch (typeof value) {
    case 'string':
      return { [names.string]: value }
    case 'number':
      return { [names.number]: value }
    case 'boolean':
      return { [names.boolean]: value }
    default:
      return isList(value)
        ? { [names.list]: { values: value.map((entry) => toValue(entry, names, shape)) } }
        : { [names.struct]: toStruct(value, shape) }
  }
}

function isList(value: readonly TemplateValue[] | TemplateVars): value is readonly TemplateValue[] {
  return Array.isArray(value)
}
