/** A JSON object whose members are not yet known. */
export type JsonObject = { [key: string]: unknown }

/** Whether a value is a plain JSON object, not null and not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
