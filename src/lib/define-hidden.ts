/** Gives an object a property that does not show among its keys. */
export function defineHidden(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, enumerable: false, writable: true })
}
