/** Adds a non-enumerable property, which neither `Object.keys` nor `JSON.stringify` sees. */
export function defineHidden(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false, writable: true })
}
