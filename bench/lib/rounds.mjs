/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Half of the distance between the largest and the smallest value, as a share of the median. */
export function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/**
 * Measures every contender once per round, each round beginning with another one, so that what else the machine does hits
 * all alike.
 * @param {Record<string, () => Promise<Record<string, number>>>} contenders
 * @param {number} rounds
 * @param {(text: string) => void} log
 * @returns {Promise<Record<string, Record<string, number[]>>>} by contender and metric, one value per round
 */
export async function measureRounds(contenders, rounds, log) {
  const names = Object.keys(contenders)
  const found = Object.fromEntries(names.map((name) => [name, {}]))
  for (let round = 0; round < rounds; round += 1) {
    log(`round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length]
      log(`  ${name}`)
      const values = await contenders[name]()
      for (const [metric, value] of Object.entries(values)) {
        found[name][metric] ??= []
        found[name][metric].push(value)
      }
    }
  }
  return found
}

/**
 * Each value as a ratio to the reference's of the same round: median and spread.
 * @param {Record<string, Record<string, number[]>>} found
 * @param {string} metric
 * @param {string} reference
 */
export function ratios(found, metric, reference) {
  return Object.fromEntries(
    Object.entries(found)
      .filter(([, metrics]) => metrics[metric])
      .map(([name, metrics]) => {
        const each = metrics[metric].map((value, round) => value / found[reference][metric][round])
        return [name, { ratio: median(each), spread: spread(each) }]
      }),
  )
}
