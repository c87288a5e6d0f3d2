import type { Campaign, CampaignProgress, Campaigns } from '../../campaigns/types.js'
import { readBullmqVersion } from '../../load-packages.js'
import { toBar, toLines } from '../campaigns/lines.js'
import type { CliIo } from '../io.js'
import { explainUnset, parseArguments } from '../usage.js'

const HELP = `Usage: express-ppoppo campaigns list [--json]
       express-ppoppo campaigns show <id> [--watch] [--json]
       express-ppoppo campaigns pause|resume|cancel <id> [--json]

Shows campaigns, and steers them in all processes. Takes the app's environment: REDIS_URL and PPOPPO_VAULT_KEYS.

  --watch                 follow it until it has ended: a bar on a terminal, elsewhere a line for each change
  --json                  JSON, one line each
  --key-prefix <prefix>   the app's "keyPrefix", where it sets one

Exit code: 0 done, 1 failed (such as: no such campaign), 2 called wrongly or not configured.`

const OPTIONS = {
  json: { type: 'boolean' },
  watch: { type: 'boolean' },
  'key-prefix': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const WISHES = ['pause', 'resume', 'cancel'] as const

/**
 * `express-ppoppo campaigns`: see its `--help`.
 *
 * @param readVersion that of the installed `bullmq`
 * @returns exit code: 0, 1 when it failed, 2 when called wrongly or not configured
 */
export async function campaigns(
  args: readonly string[],
  io: CliIo,
  readVersion: () => string | undefined = readBullmqVersion,
): Promise<number> {
  const given = parseArguments(args, OPTIONS)
  const { json = false, watch = false, help = false, 'key-prefix': keyPrefix } = given?.values ?? {}
  if (help) {
    io.print(HELP)
    return 0
  }
  const [action = '', id, ...rest] = given?.positionals ?? []
  const isKnown = action === 'list' ? id === undefined : ['show', ...WISHES].includes(action) && id !== undefined
  const isWrong = !isKnown || rest.length > 0 || (watch && action !== 'show')
  if (given === undefined || isWrong) {
    io.printError(
      'express-ppoppo campaigns: takes list, or show (with or without --watch), pause, resume or cancel and an id; see --help',
    )
    return 2
  }
  const opened = await open(io, keyPrefix)
  if (typeof opened === 'string') {
    io.printError(`express-ppoppo campaigns: ${opened}`)
    return 2
  }
  const print = (progress: CampaignProgress): void => io.print(json ? JSON.stringify(progress) : toLines(progress))
  await warnOfBullmq(io, readVersion())
  try {
    if (id === undefined) {
      const list = await opened.list()
      if (list.length === 0 && !json) io.print('no campaigns')
      for (const progress of list) print(progress)
      return 0
    }
    const campaign = opened.get(id)
    const wish = WISHES.find((one) => one === action)
    if (wish !== undefined) await campaign[wish]()
    if (watch) await follow(campaign, io, json)
    else print(await campaign.show())
    return 0
  } finally {
    await opened.close()
  }
}

/** Until it has ended. One that has stopped may be resumed, so it is followed on. */
async function follow(campaign: Campaign, io: CliIo, isJson: boolean): Promise<void> {
  await campaign.show() // fails at once where progress() would wait for Redis
  let last: CampaignProgress | undefined
  for await (const progress of campaign.progress()) {
    last = progress
    if (isJson) io.print(JSON.stringify(progress))
    else (io.redraw ?? io.print)(toBar(progress, io.now()))
  }
  if (isJson || io.redraw === undefined || last === undefined) return
  io.redraw('')
  io.print(toLines(last))
}

/** This command works without BullMQ, and with any version of it. The app's workers do not. */
async function warnOfBullmq(io: CliIo, version: string | undefined): Promise<void> {
  if (version === undefined) return
  const { explainVersion } = await import('../../campaigns/bullmq-engine.js')
  const fault = explainVersion(version)
  if (fault !== undefined) io.printError(`express-ppoppo campaigns: ${fault}`)
}

/** Loaded here: `keygen` works before anything else is installed. Nothing is sent, so it needs no Messaging client. */
async function open(io: CliIo, keyPrefix: string | undefined): Promise<Campaigns | string> {
  const unset = explainUnset(io.env, 'REDIS_URL')
  if (unset !== undefined) return unset
  const [{ createCampaignsClient }, { parseCampaignsOptions }, { isPpoppoError }, { createMessaging }] =
    await Promise.all([
      import('../../campaigns/campaigns.js'),
      import('../../campaigns/options.js'),
      import('../../errors.js'),
      import('../../messaging/index.js'),
    ])
  try {
    const onWarning = (text: string): void => io.printError(`express-ppoppo campaigns: ${text}`)
    const prefix = keyPrefix === undefined ? {} : { keyPrefix }
    const options = { messaging: createMessaging(), perMinute: 1, onWarning, ...prefix }
    return createCampaignsClient({ config: parseCampaignsOptions(options, io.env) })
  } catch (error) {
    if (isPpoppoError(error, 'config_invalid')) return error.message
    throw error
  }
}
