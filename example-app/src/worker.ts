/*
 * Sends a template to a CSV of numbers. No Express, no sign-in: a program, the Messaging API, and a file that says how
 * far it came.
 *
 *   npm run worker -w example-app -- numbers.csv --template tpl_01HQ...
 *
 * What makes it fit for a list that matters:
 *  - It reads the whole list before it sends anything. A bad row is reported with its line number, and nothing has been sent.
 *  - Before the first chunk and after each it writes `numbers.csv.progress.json`. After Ctrl-C, a crash or an outage the same
 *    command resumes from there; a chunk with an unknown outcome is not sent again.
 *  - A second worker on the same list does not start.
 *  - With REDIS_URL the list is a campaign, which any number of workers send together: see worker/campaign-run.ts. What follows
 *    here is for a worker without Redis.
 *  - It never holds the list in memory: a million rows are read a thousand at a time.
 *
 * Exit codes: 0 all accepted · 1 something was not · 2 wrong usage or a wrong list, nothing was sent · 130 Ctrl-C.
 */
import { createMessaging, SendManyAbortError, SendManyError, type SendManyReport } from 'express-ppoppo/messaging'
import { loadDotEnv, readConfig } from './config.js'
import { parseWorkerArgs, type WorkerArgs } from './worker/args.js'
import { isCampaign, runCampaign } from './worker/campaign-run.js'
import { type CsvSurvey, readRecipients, surveyCsv } from './worker/csv.js'
import { type Journal, openJournal, progressFileOf } from './worker/journal.js'
import { lockList } from './worker/lock.js'
import { describeLoss, describePause, describeSurvey, summarize } from './worker/messages.js'
import { createProgressBar } from './worker/progress-bar.js'
import { WrongInput } from './worker/wrong-input.js'

const INTERRUPTED = 130
/** Up here: everything below the `await` that follows exists only once the work is done, but for functions. */
class Interrupted extends Error {}

try {
  process.exitCode = await work()
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = error instanceof WrongInput ? 2 : 1
}

async function work(): Promise<number> {
  loadDotEnv()
  const args = parseWorkerArgs(process.argv.slice(2), process.env)
  if (args === 'help') return 0
  const survey = await surveyCsv(args.file)
  console.log(describeSurvey(survey, args))
  if (survey.bad.count > 0 && !args.skipBad) return 2
  const config = readConfig(process.env)
  if (isCampaign(args, config.campaigns))
    return sendAsCampaign(args, survey, { ...config, campaigns: config.campaigns })
  // Before the journal is read: what another worker is about to write there would be sent again.
  const unlock = lockList(progressFileOf(args))
  try {
    const journal = openJournal(args, survey)
    if (!journal.isDone) return await send(args, survey, journal)
    console.log(summarize(journal, survey, args))
    return exitCode(journal, undefined)
  } finally {
    unlock()
  }
}

async function sendAsCampaign(
  args: WorkerArgs,
  survey: CsvSurvey,
  config: Parameters<typeof runCampaign>[2],
): Promise<number> {
  const { signal, release } = abortOnSignals(() => console.error('Stopping: waiting for calls in flight.'))
  try {
    const { code, words } = await runCampaign(args, survey, config, signal)
    console.log(words)
    return signal.aborted ? INTERRUPTED : code
  } finally {
    release()
  }
}

async function send(args: WorkerArgs, survey: CsvSurvey, journal: Journal): Promise<number> {
  const messaging = createMessaging(readConfig(process.env).messaging)
  const bar = createProgressBar({ output: process.stderr, total: survey.recipients })
  const { signal, release } = abortOnSignals(() =>
    bar.say('Stopping: waiting for calls in flight. Press Ctrl-C again to quit immediately.'),
  )
  let stoppedBy: unknown
  try {
    await journal.start()
    if (journal.isResumed)
      bar.say(`Resuming where the last run stopped: ${journal.counts().accepted.toLocaleString('en')} were accepted.`)
    bar.draw(journal.counts())
    const run = messaging.sendMany(
      {
        templateId: args.template,
        recipients: readRecipients(args.file),
        chunkSize: args.chunkSize,
        concurrency: args.concurrency,
        ...journal.position,
        // The promise is waited for, so at no time does more than `concurrency` chunks lie ahead of the file.
        onProgress: async (progress) => {
          if (progress.paused) return bar.say(describePause(progress.paused.error))
          await journal.record(progress)
          bar.draw(journal.counts())
        },
      },
      { signal },
    )
    const report = await run.catch((error: unknown) => {
      stoppedBy = error
      return reportOf(error)
    })
    stoppedBy ??= report.stoppedBy
    // Numbers that were refused one by one would be refused again: they leave nothing to resume.
    const isDone = stoppedBy === undefined && report.rejected === (report.invalid ?? 0)
    await journal.close(report, { isDone }).catch((error: unknown) => {
      bar.say(describeLoss(journal, report))
      throw error
    })
  } finally {
    release()
    await messaging.close()
    bar.end()
  }
  console.log(summarize(journal, survey, args))
  return exitCode(journal, stoppedBy)
}

function exitCode(journal: Journal, stoppedBy: unknown): number {
  if (stoppedBy instanceof SendManyAbortError && stoppedBy.cause instanceof Interrupted) return INTERRUPTED
  if (stoppedBy !== undefined) {
    console.error(`It stopped because: ${stoppedBy instanceof Error ? stoppedBy.message : String(stoppedBy)}`)
    return 1
  }
  const { rejected, unknown } = journal.counts()
  return rejected + unknown > 0 ? 1 : 0
}

/** What was accepted is in the error, too. @throws the error, where it is another */
function reportOf(error: unknown): SendManyReport {
  if (error instanceof SendManyAbortError || error instanceof SendManyError) return error.report
  throw error
}

/** The first signal ends the run in good order; the second takes the process down, as it would any other. */
function abortOnSignals(tell: () => void): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController()
  const stop = () => {
    release()
    tell()
    controller.abort(new Interrupted('interrupted'))
  }
  const release = () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return { signal: controller.signal, release }
}
