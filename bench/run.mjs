/** `npm run bench`: express-ppoppo against its peers, in one run. See `bench/README.md`. */
import { writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { runToEnd } from '../scripts/lib/processes.mjs'
import { parseArguments, USAGE } from './lib/arguments.mjs'
import { prepare, prepareLibrary } from './lib/prepare.mjs'

const IDS = ['B1', 'B2', 'B3', 'B4', 'B6', 'B7', 'B8', 'B9', 'B11', 'B12']

await runToEnd(async () => {
  let options
  try {
    options = parseArguments(process.argv.slice(2), IDS)
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    return 2
  }
  if (options.help) {
    console.log(USAGE)
    return 0
  }
  if (options.soak !== undefined) {
    await prepareLibrary()
    const { runSoak } = await import('./soak/run-soak.mjs')
    return runSoak(options.soak)
  }
  await prepare()
  // Not before: what they import may not be installed yet.
  const { runAll } = await import('./lib/run-all.mjs')
  const { toMarkdown } = await import('./lib/report.mjs')
  const about = describeRun(options)
  const results = await runAll(options)
  const tables = results.map(toMarkdown).join('\n\n')
  console.log(`\n${about}\n\n${tables}`)
  if (options.json) await writeFile(options.json, JSON.stringify({ about, results }, undefined, 2))
  if (options.markdown) await writeFile(options.markdown, `${about}\n\n${tables}\n`)
  if (options.writeDocs) {
    const { writeDocs } = await import('./lib/docs.mjs')
    console.log(`written: ${await writeDocs(about, results)}`)
  }
  return 0
})

/** Date, machine, how busy it was before the run, and how large the run is. */
function describeRun({ rounds, isQuick }) {
  const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`
  const busy = `load average ${loadavg()[0].toFixed(1)} before the run`
  const size = isQuick ? 'quick: the figures mean nothing' : `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, ${busy}, ${size}`
}
