/*
 * With Redis a list is sent as a campaign: by this process and all others that share that Redis, at one pace, and nobody
 * gets it twice, whoever is killed meanwhile. Progress is in Redis, so there is no journal here; the file `<list>.campaign`
 * only says that the list is one, in case it is sent without Redis later.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type CampaignProgress, isPpoppoError } from 'express-ppoppo/campaigns'
import { createMessaging } from 'express-ppoppo/messaging'
import { openCampaigns } from '../campaigns/campaign-desk.js'
import type { AppConfig, CampaignsConfig } from '../config.js'
import type { WorkerArgs } from './args.js'
import { type CsvSurvey, readRecipients } from './csv.js'
import { progressFileOf } from './journal.js'
import { describeState, summarizeCampaign } from './messages.js'
import { createProgressBar } from './progress-bar.js'
import { WrongInput } from './wrong-input.js'

const markerOf = ({ file }: WorkerArgs): string => `${file}.campaign`

/** A list that was begun in one way is finished in that way: the other knows nothing of who has the message. */
export function isCampaign(args: WorkerArgs, campaigns: CampaignsConfig | undefined): campaigns is CampaignsConfig {
  const wasBegunWithout = existsSync(progressFileOf(args))
  if (campaigns !== undefined && !wasBegunWithout) return true
  if (existsSync(markerOf(args)) && !wasBegunWithout)
    throw new WrongInput(
      `this list is the campaign ${readFileSync(markerOf(args), 'utf8').trim()}: set REDIS_URL to go on with it`,
    )
  return false
}

/** @returns the exit code */
export async function runCampaign(
  args: WorkerArgs,
  survey: CsvSurvey,
  { messaging: options, campaigns: config }: AppConfig & { readonly campaigns: CampaignsConfig },
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly words: string }> {
  if (args.startOver)
    throw new WrongInput('a campaign is not started over: give it another name, with --campaign <name>')
  const id = args.campaign ?? nameOf(args)
  const bar = createProgressBar({ output: process.stderr, total: survey.recipients })
  const messaging = createMessaging(options)
  const { campaigns } = openCampaigns(config, messaging, { onWarning: (text) => bar.say(text) })
  let last: CampaignProgress | undefined
  try {
    const campaign = await campaigns
      .create({ id, templateId: args.template, recipients: readRecipients(args.file) })
      .catch(explainConflict)
    writeFileSync(markerOf(args), `${id}\n`)
    campaigns.work({ concurrency: args.concurrency })
    for await (const progress of campaign.progress({ signal })) {
      if (progress.state !== last?.state) bar.say(describeState(progress))
      bar.draw(progress)
      last = progress
      // Somebody has to fix something; other processes and later runs find it as it is.
      if (progress.state === 'stopped') break
    }
  } finally {
    await campaigns.close() // waits for the sends under way
    await messaging.close()
    bar.end()
  }
  const isAllAccepted = last?.state === 'finished' && last.accepted + last.filtered === last.total
  return { code: isAllAccepted ? 0 : 1, words: last === undefined ? '' : summarizeCampaign(last) }
}

/** The list's own name, as far as a campaign can have it. */
function nameOf({ file }: WorkerArgs): string {
  return basename(file)
    .replace(/[^\w.-]+/g, '-')
    .slice(0, 100)
}

function explainConflict(error: unknown): never {
  if (!isPpoppoError(error, 'campaign_conflict')) throw error
  throw new WrongInput(
    'there is a campaign of this name already, with another list or template. Nothing was sent. Choose another name with --campaign <name>',
  )
}
