import type { TemplateValue, TemplateVars } from './types.js'

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

/** Checked vars as a `Struct`; its map may hold any name, so it has no prototype. */
export function toStruct(vars: TemplateVars, isSnakeCase: boolean): object {
  return toFields(vars, isSnakeCase ? SNAKE : CAMEL)
}

function toFields(vars: TemplateVars, names: Names): object {
  const fields: Record<string, object> = Object.create(null)
  for (const [name, value] of Object.entries(vars)) fields[name] = toValue(value, names)
  return { fields }
}

function toValue(value: TemplateValue, names: Names): object {
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
        ? { [names.list]: { values: value.map((entry) => toValue(entry, names)) } }
        : { [names.struct]: toFields(value, names) }
  }
}

function isList(value: readonly TemplateValue[] | TemplateVars): value is readonly TemplateValue[] {
  return Array.isArray(value)
}
