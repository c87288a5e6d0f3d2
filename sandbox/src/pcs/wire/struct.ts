import { isJsonObject, type JsonObject } from '../../lib/json.js'

/** A `google.protobuf.Struct`, as proto-loader hands it over, as the plain object it represents. */
export function fromStruct(struct: unknown): JsonObject {
  const fields = isJsonObject(struct) && isJsonObject(struct['fields']) ? struct['fields'] : {}
  const plain: JsonObject = {}
  // Not by assignment: `__proto__` is a name like any other.
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(plain, name, {
      value: fromValue(value),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return plain
}

function fromValue(value: unknown): unknown {
  if (!isJsonObject(value)) return null
  const kind = value['kind']
  if (kind === 'structValue') return fromStruct(value['structValue'])
  if (kind === 'listValue') return fromList(value['listValue'])
  // Node's number: an infinity or NaN that a client sent stays visible as such.
  return kind === 'stringValue' || kind === 'numberValue' || kind === 'boolValue' ? value[kind] : null
}

function fromList(list: unknown): readonly unknown[] {
  const values = isJsonObject(list) ? list['values'] : undefined
  return Array.isArray(values) ? values.map(fromValue) : []
}
