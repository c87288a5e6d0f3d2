import { type FindingArea, type FindingLevel, kindOf } from '../../doctor/catalogue.js'
import type { Diagnosis, Finding } from '../../doctor/types.js'
import type { CliIo } from '../io.js'

const MARKS: Readonly<Record<FindingLevel, string>> = { ok: 'ok   ', warn: 'warn ', error: 'ERROR' }
const LINE_WIDTH = 100
const INDENT = ' '.repeat(9)

/** Prints findings by area: one line each, and below a fault why, what to do, and where that is explained. */
export function printDiagnosis({ findings }: Diagnosis, io: Pick<CliIo, 'print'>): void {
  let area: FindingArea | undefined
  for (const each of findings) {
    const of = kindOf(each.code).area
    if (of !== area) io.print(`${area === undefined ? '' : '\n'}${of}`)
    area = of
    printFinding(each, io)
  }
  io.print(`\n${summary(findings)}`)
}

function printFinding({ code, level, what, why, fix, docsUrl }: Finding, { print }: Pick<CliIo, 'print'>): void {
  for (const line of wrap(`${what}  [${code}]`, `  ${MARKS[level]}  `)) print(line)
  if (why !== '' && (level !== 'ok' || fix !== '')) for (const line of wrap(why, `${INDENT}why   `)) print(line)
  if (fix !== '') for (const line of wrap(fix, `${INDENT}fix   `)) print(line)
  if (level !== 'ok' && !code.endsWith('_not_checked')) print(`${INDENT}docs  ${docsUrl}`)
}

/** Lines of a readable width; those after the first begin below the text, and a long word stays whole. */
function wrap(text: string, head: string): readonly string[] {
  const lines: string[] = []
  let line = head
  for (const word of text.split(/\s+/)) {
    const isFirst = line === head || line.trim() === ''
    if (!isFirst && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line)
      line = ' '.repeat(head.length) + word
    } else line += isFirst ? word : ` ${word}`
  }
  return [...lines, line]
}

function summary(findings: readonly Finding[]): string {
  const isSkipped = ({ code }: Finding): boolean => code.endsWith('_not_checked')
  const count = (level: FindingLevel): number => findings.filter((one) => one.level === level && !isSkipped(one)).length
  const plural = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`
  const skipped = findings.filter(isSkipped).length
  const parts = [plural(count('error'), 'error'), plural(count('warn'), 'warning'), `${count('ok')} ok`]
  return `${[...parts, ...(skipped > 0 ? [`${skipped} not checked`] : [])].join(', ')}.`
}
