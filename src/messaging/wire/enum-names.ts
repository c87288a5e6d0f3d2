/**
 * Whether a value of an enum in a descriptor is the one that is documented under `wanted`: by that name, or with the
 * enum's own in front, as style guides ask: `SEND_REQUEST_STATUS_FAILED`, but not `PARTIALLY_FAILED`.
 */
export function isValueNamed(name: string, wanted: string): boolean {
  if (name === wanted) return true
  const prefix = name.endsWith(`_${wanted}`) ? name.slice(0, -wanted.length) : ''
  return prefix.endsWith('STATUS_') || prefix.endsWith('TYPE_')
}
