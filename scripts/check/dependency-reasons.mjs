import { PACKAGES, readManifest, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

const KINDS = ['dependencies', 'peerDependencies', 'devDependencies']

/** CONTRIBUTING.md says of every dependency why it is there, and speaks of none that is gone. */
export function checkDependencyReasons() {
  const chapter =
    readText('CONTRIBUTING.md')
      .split(/^## /m)
      .find((text) => text.startsWith('Dependencies')) ?? ''
  const named = new Set([...chapter.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((row) => namesIn(row[1] ?? '')))
  const used = new Set(
    PACKAGES.flatMap((folder) => KINDS.flatMap((kind) => Object.keys(readManifest(folder)[kind] ?? {}))),
  )
  const missing = [...used].filter((name) => !named.has(name)).map((name) => `CONTRIBUTING.md does not say why ${name}`)
  const stale = [...named]
    .filter((name) => !used.has(name))
    .map((name) => `CONTRIBUTING.md explains ${name}, which is no dependency`)
  return outcomeOf([...missing, ...stale])
}

/** @param {string} cell */
function namesIn(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
}
