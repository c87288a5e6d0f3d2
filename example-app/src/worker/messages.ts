/* What the worker says. Nothing here decides anything. */
import type { SendManyReport } from 'express-ppoppo/messaging'
import { toPrintable } from '../visible.js'
import type { WorkerArgs } from './args.js'
import type { CsvSurvey } from './csv.js'
import type { Journal } from './journal.js'

/** What is in the list, and which of its rows are wrong. */
export function describeSurvey({ recipients, duplicates, bad }: CsvSurvey, { given, skipBad }: WorkerArgs): string {
  const lines = [
    `${toPrintable(given)}: ${figure(recipients)} numbers${duplicates > 0 ? `, ${figure(duplicates)} of them more than once` : ''}`,
  ]
  if (bad.count > 0) {
    const more = bad.count - bad.lines.length
    lines.push(...bad.lines.map((line) => `  ${line}`), ...(more > 0 ? [`  and ${figure(more)} more`] : []))
    const rows = bad.count === 1 ? '1 bad row' : `${figure(bad.count)} bad rows`
    lines.push(
      skipBad ? `${rows}, left out.` : `${rows}. Nothing was sent: fix the list, or leave them out with --skip-bad.`,
    )
  }
  return lines.join('\n')
}

/** How it ended, over all runs, and how to go on. */
export function summarize(journal: Journal, survey: CsvSurvey, args: WorkerArgs): string {
  const { accepted, rejected, unknown } = journal.counts()
  const left = survey.recipients - accepted - rejected - unknown
  const lines = [
    `accepted ${figure(accepted)} · rejected ${figure(rejected)} · unknown ${figure(unknown)} · not sent ${figure(left)} · duplicates ${figure(survey.duplicates)}`,
  ]
  for (const { index, from, error } of journal.chunks.filter(({ outcome }) => outcome === 'rejected').slice(0, 3)) {
    lines.push(`  ${from === undefined ? `chunk ${index}` : `chunk ${index} from ${from} on`} was rejected: ${error}`)
  }
  if (journal.refused.length > 0) {
    lines.push(
      `Ppoppo refused ${numbers(journal.refused.length)} by itself. ${journal.file} lists them under "refused".`,
    )
  }
  if (unknown > 0) {
    lines.push(
      'Unknown means that the connection broke before the answer came: they may have it, and are not sent to again.',
    )
  }
  if (journal.isDone) lines.push(`All of this list is done. To send to everybody again: --start-over.`)
  else lines.push(`To go on, run the same command again. ${journal.file} says how far it came.`)
  if (journal.isDone && args.skipBad && survey.bad.count > 0) lines.push('Bad rows were left out.')
  return lines.join('\n')
}

/** Ppoppo does not answer. The run goes on by itself once it does. */
export function describePause(error: Error): string {
  return `Ppoppo does not answer (${error.message}). Waiting for it, up to five minutes.`
}

/** Where the file could not take the end of the run. The next run would repeat what it does not know of. */
export function describeLoss(
  { file }: Journal,
  { resumeFrom, skipChunks, resumeParts }: Pick<SendManyReport, 'resumeFrom' | 'skipChunks' | 'resumeParts'>,
): string {
  const position = JSON.stringify({ resumeFrom, skipChunks, resumeParts })
  return `${file} could not be written. Before you run this again, put into it: ${position}`
}

const figure = (count: number): string => count.toLocaleString('en')
const numbers = (count: number): string => (count === 1 ? '1 number' : `${figure(count)} numbers`)
