type Version = readonly [major: number, minor: number, patch: number]

/** Reads `1.2.3`, also with what follows it; `undefined` for anything else. */
function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

/** Below 0 if `one` is the older version. */
function compare(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2]
}

/**
 * Whether a version is in a range as our own package.json writes them: comparators `^1.2.3`, `>=1.2.3`, `<=1.2.3`, `<2`, with
 * a space for "and" and `||` for "or". A pre-release counts as its release. Unreadable text is in no range.
 */
export function isInRange(version: string, range: string): boolean {
  const found = parseVersion(version)
  if (found === undefined) return false
  return range.split('||').some((part) => {
    const comparators = part.trim().split(/\s+/)
    return comparators.every((comparator) => matches(found, comparator))
  })
}

function matches(version: Version, comparator: string): boolean {
  const [, sign = '', text = ''] = /^(\^|>=|<=|<)(\d.*)$/.exec(comparator) ?? []
  const bound = parseVersion(/^\d+$/.test(text) ? `${text}.0.0` : text)
  if (bound === undefined) return false
  const order = compare(version, bound)
  if (sign === '^') return order >= 0 && version[0] === bound[0]
  if (sign === '>=') return order >= 0
  return sign === '<=' ? order <= 0 : order < 0
}
