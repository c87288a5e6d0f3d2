/**
 * The known name that `name` is probably a misspelling of: at most a third of its letters differ.
 *
 * @example nearest('cliendId', ['clientId', 'baseUrl']) // 'clientId'
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const candidate of known) {
    // Also bounds the work: a very long name is never compared letter by letter.
    if (Math.abs(wanted.length - candidate.length) > mostDifferences(candidate)) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (best === undefined || distance < best.distance) best = { name: candidate, distance }
  }
  return best !== undefined && best.distance <= mostDifferences(best.name) ? best.name : undefined
}

function mostDifferences(name: string): number {
  return Math.max(1, Math.ceil(name.length / 3))
}

/** Levenshtein distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      const substitution = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1)
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
