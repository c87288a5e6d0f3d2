import { homedir, tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { ROOT } from '../lib/build.mjs'
import { listFiles, readText } from './repository.mjs'
import { outcomeOf } from './run.mjs'

const MOST_LINES = 250
const IS_TEXT = /[.](ts|js|mjs|cjs|json|md|ya?ml|html|eta|css|proto|sh|txt)$|(^|\/)(Dockerfile|run|[.][a-z]+)$/
const IS_CODE = /[.](ts|js|mjs|cjs)$/
const IS_TEST = /(^|\/)test\/.*[.]test[.]ts$/
const IS_IN_TESTS = /(^|\/)test\/.*[.]ts$/
const IS_SOURCE = /^(src|sandbox\/src|example-app\/src)\/.*[.]ts$/
const IS_SHORT = /^(src|sandbox\/src|example-app\/src|scripts)\//

/** What stands in a path of this machine, and so in no file: where this clone and this user live. */
const MACHINE_PATHS = [dirname(ROOT), homedir()]
  .filter((path) => !['/', '/tmp', tmpdir()].includes(path))
  .map((path) => new RegExp(`(?<![\\w.*>)}\\]-])${path}/`))

/** @type {readonly { name: string, in: RegExp, except?: RegExp, pattern: RegExp }[]} */
const RULES = [
  { name: "a path of somebody's machine", in: IS_TEXT, pattern: /(?<![\w.:/])\/(home|Users)\/[\w.-]+\//g },
  {
    name: 'a focused or skipped test',
    in: IS_TEST,
    pattern: /\b(test|it|describe)[.](only|skip|todo)\b|\b(fit|fdescribe|xit|xtest|xdescribe)\(/g,
  },
  { name: 'a silenced type check', in: IS_CODE, pattern: /@ts-(ignore|nocheck)/g },
  {
    name: 'an expected type error outside of the type tests',
    in: IS_CODE,
    except: /^test\/types\//,
    pattern: /@ts-expect-error/g,
  },
  {
    name: 'a fixed wait in a test: wait for the cause (test/support/until.ts)',
    in: IS_IN_TESTS,
    // What a child process runs, written down as text, cannot import it.
    except: /(^|\/)support\/|^test\/messaging\/events\/(leaks|back-pressure)|^test\/store\/process-exit/,
    pattern: /new Promise\(\(\w+\) => setTimeout\(\w+,|\bsleep\(|setTimeout\b.*timers\/promises|\bwait\(\d/g,
  },
  {
    name: 'a requirement code in the sources: say the reason',
    in: /^(src|sandbox\/src|example-app\/src)\//,
    pattern: /\([CSMAUX]\d+[),]/g,
  },
  {
    name: 'a word that is not on the word list of CONTRIBUTING.md',
    in: IS_TEXT,
    except: /^(CONTRIBUTING|CODE_OF_CONDUCT)[.]md$|(^|\/)(package|knip|biome)[.]json$/,
    pattern: /\b(anew|(?<!What )shall|in the place of|letGo|mend(s|ed|ing)?)\b/gi,
  },
]

/** @returns {import('./run.mjs').Outcome} */
export function checkRules() {
  const files = listFiles().filter((name) => IS_TEXT.test(name) && name !== 'package-lock.json')
  return outcomeOf(files.flatMap((name) => faultsOf(name, readText(name))))
}

/**
 * @param {string} name path in the repository
 * @param {string} text
 * @returns {string[]}
 */
export function faultsOf(name, text) {
  const faults = RULES.filter((rule) => rule.in.test(name) && !rule.except?.test(name) && !isThisFile(name)).flatMap(
    (rule) =>
      [...text.matchAll(rule.pattern)].map(
        (match) => `${name}:${lineOf(text, match.index)} ${rule.name}: ${match[0].trim()}`,
      ),
  )
  for (const path of MACHINE_PATHS) if (path.test(text)) faults.push(`${name} a path of this machine: ${path.source}`)
  const lines = text.split('\n').length - 1
  if (IS_CODE.test(name) && IS_SHORT.test(name) && lines > MOST_LINES)
    faults.push(`${name} has ${lines} lines; ${MOST_LINES} at most`)
  if (IS_SOURCE.test(name)) faults.push(...positionalFactories(name, text))
  return faults
}

/**
 * The parameter rule of CONTRIBUTING.md: a factory takes one argument.
 * @param {string} name
 * @param {string} text
 */
function positionalFactories(name, text) {
  return [...text.matchAll(/\bfunction (create[A-Z]\w*)[^(]*\(/g)]
    .filter((match) => parametersAt(text, match.index + match[0].length) > 1)
    .map(
      (match) => `${name}:${lineOf(text, match.index)} a factory with several parameters: ${match[1]}(parts: XParts)`,
    )
}

/**
 * @param {string} text
 * @param {number} start behind the opening parenthesis
 */
function parametersAt(text, start) {
  let depth = 0
  let commas = 0
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (depth === 0 && character === ')') break
    if ('({[<'.includes(character)) depth++
    if (')}]'.includes(character) || (character === '>' && text.charAt(at - 1) !== '=')) depth--
    if (depth === 0 && character === ',' && !/^,\s*\)/.test(text.slice(at, at + 20))) commas++
  }
  return commas + 1
}

/** @param {string} name */
function isThisFile(name) {
  return name === 'scripts/check/rules.mjs' || name === 'test/package/rules.test.ts'
}

/**
 * @param {string} text
 * @param {number} index
 */
function lineOf(text, index) {
  return text.slice(0, index).split('\n').length
}
