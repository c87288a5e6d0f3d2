/* The worker's output. Nothing here decides anything. */
import type { CampaignProgress } from 'express-ppoppo/campaigns'
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

/** The totals of all runs, and how to resume. */
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
      `Ppoppo refused ${numbers(journal.refused.length)} one by one. ${journal.file} lists them under "refused".`,
    )
  }
  if (unknown > 0) {
    lines.push(
      'Unknown: the connection broke before the response arrived. They may have the message, so it is not sent to them again.',
    )
  }
  if (journal.isDone) lines.push(`This list is done. To send to everybody again: --start-over.`)
  else lines.push(`To resume, run the same command again. Progress is in ${journal.file}.`)
  if (journal.isDone && args.skipBad && survey.bad.count > 0) lines.push('Bad rows were left out.')
  return lines.join('\n')
}

/** Ppoppo does not respond. The run resumes automatically once it does. */
export function describePause(error: Error): string {
  return `Ppoppo does not respond (${error.message}). Waiting for up to five minutes.`
}

/** The file could not be written at the end of the run: the next run would send again what the file does not list. */
export function describeLoss(
  { file }: Journal,
  { resumeFrom, skipChunks, resumeParts }: Pick<SendManyReport, 'resumeFrom' | 'skipChunks' | 'resumeParts'>,
): string {
  const position = JSON.stringify({ resumeFrom, skipChunks, resumeParts })
  return `${file} could not be written. Before you run this again, put into it: ${position}`
}

/** In which state a campaign is now, and why. */
export function describeState({ id, state, reason }: CampaignProgress): string {
  return `Campaign ${id}: ${state}${reason === undefined ? '' : ` (${reason.message})`}`
}

/** Its totals, and how to go on. */
export function summarizeCampaign({ id, state, accepted, rejected, unknown, left }: CampaignProgress): string {
  const lines = [
    `accepted ${figure(accepted)} · rejected ${figure(rejected)} · unknown ${figure(unknown)} · not sent ${figure(left)}`,
  ]
  if (unknown > 0)
    lines.push(
      'Unknown: they may have the message, so it is not sent to them again. The page /campaigns asks about them.',
    )
  if (state === 'stopped')
    lines.push(`Fix the cause, then: npx express-ppoppo campaigns resume ${id}, and run the same command again.`)
  else if (left > 0 && state !== 'cancelled')
    lines.push('Other processes go on with it. To go on here, run the same command again.')
  return lines.join('\n')
}

const figure = (count: number): string => count.toLocaleString('en')
const numbers = (count: number): string => (count === 1 ? '1 number' : `${figure(count)} numbers`)
