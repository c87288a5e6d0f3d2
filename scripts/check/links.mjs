import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { listFiles, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

/** Links that point into the repository lead to a file and, where they name one, to a heading. */
export function checkLinks() {
  const files = listFiles().filter((name) => name.endsWith('.md'))
  return outcomeOf(files.flatMap((name) => linksOf(readText(name)).flatMap((link) => faultOf(name, link) ?? [])))
}

/** @param {string} markdown */
export function linksOf(markdown) {
  const prose = markdown.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^[a-z]+:/i.test(link))
}

/** @param {string} markdown */
export function anchorsOf(markdown) {
  const headings = markdown.replace(/^```.*?^```/gms, '').matchAll(/^#{1,6}\s+(.+)$/gm)
  return [...headings].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  )
}

/**
 * @param {string} name
 * @param {string} link
 * @returns {string | undefined}
 */
function faultOf(name, link) {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? name : join(dirname(name), decodeURIComponent(path))
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return `${name}: ${link} leads nowhere`
  if (anchor === undefined || !target.endsWith('.md') || statSync(join(ROOT, target)).isDirectory()) return undefined
  return anchorsOf(readText(target)).includes(anchor) ? undefined : `${name}: ${link} names no heading of ${target}`
}
