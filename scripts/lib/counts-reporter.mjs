import { writeFileSync } from 'node:fs'

/** Leaves the totals of a Jest run in the file that `scripts/test.mjs` asks for. */
export default class CountsReporter {
  /**
   * @param {unknown} _contexts
   * @param {import('@jest/reporters').AggregatedResult} results
   */
  onRunComplete(_contexts, results) {
    const file = process.env['TEST_COUNTS_FILE']
    if (file !== undefined) writeFileSync(file, toLine(results))
  }
}

/**
 * A file that could not be run counts as one failed test: it must not look like nothing.
 * @param {Pick<import('@jest/reporters').AggregatedResult, 'numPassedTests' | 'numFailedTests' | 'numRuntimeErrorTestSuites' | 'numPendingTests' | 'numTodoTests'>} results
 */
export function toLine(results) {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites
  const skipped = results.numPendingTests + results.numTodoTests
  return `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`
}
