import { writeFileSync } from 'node:fs'

/**
 * @typedef {object} Totals what is used of Jest's AggregatedResult
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numRuntimeErrorTestSuites
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 */

/** Leaves the totals of a Jest run in the file that `scripts/test.mjs` asks for. */
export default class CountsReporter {
  /**
   * @param {unknown} _contexts
   * @param {Totals} results
   */
  onRunComplete(_contexts, results) {
    const file = process.env['TEST_COUNTS_FILE']
    if (file !== undefined) writeFileSync(file, toLine(results))
  }
}

/**
 * A file that could not be run counts as one failed test: it must not look like nothing.
 * @param {Totals} results
 */
export function toLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
  const skipped = results.numPendingTests + results.numTodoTests
  return `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
}
