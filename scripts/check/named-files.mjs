import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { listFiles, PACKAGES, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

/** What has its path written down in prose. */
const FOLDERS = [
  'src',
  'docs',
  'test',
  'scripts',
  'bench',
  'sandbox',
  'example-app',
  'examples',
  'skills',
  'proto',
  'views',
  'public',
]
/** Written, and not in the repository: what a build or a run leaves. */
const IS_MADE = /(^|\/)(dist|data|node_modules)(\/|$)/
/** What changed once may name what was there then. */
const IS_HISTORY = /(^|\/)CHANGELOG[.]md$/

/** Files and folders that Markdown names in `code` are there. */
export function checkNamedFiles() {
  const files = listFiles().filter((name) => name.endsWith('.md') && !IS_HISTORY.test(name))
  return outcomeOf(
    files.flatMap((name) =>
      pathsOf(readText(name))
        .filter((path) => !placesOf(name, path).some((place) => existsSync(join(ROOT, place))))
        .map((path) => `${name}: ${path} is not there`),
    ),
  )
}

/**
 * Paths in inline code: of a folder we know, or of a file beside the Markdown.
 * @param {string} markdown
 */
export function pathsOf(markdown) {
  const prose = markdown.replace(/^```.*?^```/gms, '')
  const words = [...prose.matchAll(/`([^`\n]+)`/g)].flatMap((match) => (match[1] ?? '').split(/[\s()"',:]+/))
  const isPath = new RegExp(`^(${FOLDERS.join('|')})/[\\w./*-]*$`)
  return words.filter((word) => isPath.test(word) && !word.includes('*') && !IS_MADE.test(word))
}

/**
 * A path counts from the root, or from the folder the Markdown is in, or from its package.
 * @param {string} name
 * @param {string} path
 */
function placesOf(name, path) {
  const owner = PACKAGES.findLast((folder) => folder !== '' && name.startsWith(`${folder}/`)) ?? ''
  return [path, join(dirname(name), path), join(owner, path)]
}
