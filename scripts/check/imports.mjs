import { outcomeOf, runBin } from './run.mjs'

/** Far fewer edges than files means that the tool no longer understands the sources, and would find nothing. */
const LEAST_EDGES_PER_FILE = 1

/** @returns {Promise<import('./run.mjs').Outcome>} */
export async function checkImports() {
  const args = ['src', 'sandbox/src', 'example-app/src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json']
  const { stdout, output } = await runBin('depcruise', args)
  if (!stdout.startsWith('{')) return { ok: false, output }
  /** @type {{ modules: { source: string, dependencies: { dependencyTypes: string[] }[] }[], summary: { violations: { rule: { name: string }, from: string, to: string, cycle?: { name: string }[] }[] } }} */
  const { modules, summary } = JSON.parse(stdout)
  const own = modules.filter(({ source }) => /^(src|sandbox\/src|example-app\/src)\//.test(source))
  const edges = own
    .flatMap(({ dependencies }) => dependencies)
    .filter(({ dependencyTypes }) => dependencyTypes.includes('local'))
  const faults = summary.violations.map(({ rule, from, to, cycle }) => {
    const way = cycle === undefined ? to : cycle.map(({ name }) => name).join(' -> ')
    return `${rule.name}: ${from} -> ${way}`
  })
  if (own.length === 0 || edges.length < own.length * LEAST_EDGES_PER_FILE) {
    faults.push(
      `dependency-cruiser saw only ${edges.length} imports in ${own.length} files: does it read this TypeScript?`,
    )
  }
  return outcomeOf(faults)
}
