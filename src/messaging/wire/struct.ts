import type { TemplateValue, TemplateVars } from '../types/calls.js'

/*
 * Plain data <-> `google.protobuf.Struct`. By hand, since proto-loader makes an empty Struct of a plain object. The
 * names of the fields depend on where the type comes from: the one inside proto-loader has camelCase names, one out of
 * a descriptor set the official snake_case.
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

/** How a descriptor tells of `Struct`. */
export interface StructShape {
  /** `string_value` rather than `stringValue`. */
  readonly isSnakeCase: boolean
  /** Its map is a list of entries, which is the same on the wire: so protobufjs reads a descriptor set. */
  readonly isListOfEntries: boolean
}

/** Checked vars as a `Struct`. */
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
