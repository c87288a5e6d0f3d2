import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../..', import.meta.url).href
const ROWS = 25

/** Where the time of a `.cpuprofile` was spent, as text: self time by package, and by function. */
export async function toProfileTable(file) {
  const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, 'utf8'))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const packages = new Map()
  const functions = new Map()
  let all = 0
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const micros = Math.max(0, timeDeltas[index] ?? 0)
    if (frame.functionName === '(idle)') continue
    all += micros
    add(packages, packageOf(frame), micros)
    add(functions, `${frame.functionName || '(anonymous)'}  ${placeOf(frame)}`, micros)
  }
  const lines = (counts) =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, ROWS)
      .map(([name, micros]) => `${((micros / all) * 100).toFixed(1).padStart(6)} %  ${name}`)
  return [`by package`, ...lines(packages), 'by function', ...lines(functions)].join('\n')
}

function add(counts, name, micros) {
  counts.set(name, (counts.get(name) ?? 0) + micros)
}

function packageOf({ functionName, url }) {
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)
  if (installed) return installed[1]
  if (url.startsWith('node:')) return 'Node'
  if (url.startsWith(`${ROOT}dist/`)) return 'express-ppoppo'
  if (url.startsWith(ROOT)) return 'the app of the benchmark'
  return functionName.startsWith('(') ? functionName : 'native code'
}

function placeOf({ url, lineNumber }) {
  if (url === '') return ''
  const short = url.startsWith('file:') ? fileURLToPath(url).slice(fileURLToPath(ROOT).length) : url
  return `${short.replace(/.*node_modules\//, '')}:${lineNumber + 1}`
}
