import type { CampaignProgress, Campaigns } from '../../campaigns/types.js'
import type { CliIo } from '../io.js'
import { explainUnset, parseArguments } from '../usage.js'

const HELP = `Usage: express-ppoppo campaigns list [--json]
       express-ppoppo campaigns show|pause|resume|cancel <id> [--json]

Shows campaigns, and steers them in all processes. Takes the app's environment: REDIS_URL and PPOPPO_VAULT_KEYS.

  --json                  one line of JSON for each campaign
  --key-prefix <prefix>   the app's "keyPrefix", where it sets one

Exit code: 0 done, 1 failed (such as: no such campaign), 2 called wrongly or not configured.`

const OPTIONS = {
  json: { type: 'boolean' },
  'key-prefix': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const WISHES = ['pause', 'resume', 'cancel'] as const
const BAR_WIDTH = 30

/**
 * `express-ppoppo campaigns`: see its `--help`.
 *
 * @returns exit code: 0, 1 when it failed, 2 when called wrongly or not configured
 */
export async function campaigns(args: readonly string[], io: CliIo): Promise<number> {
  const given = parseArguments(args, OPTIONS)
  const { json = false, help = false, 'key-prefix': keyPrefix } = given?.values ?? {}
  if (help) {
    io.print(HELP)
    return 0
  }
  const [action = '', id, ...rest] = given?.positionals ?? []
  const isKnown = action === 'list' ? id === undefined : ['show', ...WISHES].includes(action) && id !== undefined
  if (given === undefined || !isKnown || rest.length > 0) {
    io.printError('express-ppoppo campaigns: takes list, or show, pause, resume or cancel and an id; see --help')
    return 2
  }
  const opened = await open(io, keyPrefix)
  if (typeof opened === 'string') {
    io.printError(`express-ppoppo campaigns: ${opened}`)
    return 2
  }
  const print = (progress: CampaignProgress): void => io.print(json ? JSON.stringify(progress) : toLine(progress))
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
    print(await campaign.show())
    return 0
  } finally {
    await opened.close()
  }
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
    const options = { messaging: createMessaging(), perMinute: 1, ...(keyPrefix === undefined ? {} : { keyPrefix }) }
    return createCampaignsClient({ config: parseCampaignsOptions(options, io.env) })
  } catch (error) {
    if (isPpoppoError(error, 'config_invalid')) return error.message
    throw error
  }
}

/** `autumn-2026  running  [#####----] 42 %  accepted 420, rejected 0, ...`. */
function toLine({ id, state, reason, doneAt, perMinute, ...counts }: CampaignProgress): string {
  const { total, accepted, rejected, filtered, unknown, left } = counts
  const part = total === 0 ? 0 : (total - left) / total
  const full = Math.floor(part * BAR_WIDTH)
  const bar = `[${'#'.repeat(full)}${'-'.repeat(BAR_WIDTH - full)}] ${Math.floor(part * 100)} %`
  const figures = { total, accepted, rejected, filtered, unknown, left }
  const list = Object.entries(figures).map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
  const rate = perMinute > 0 ? `, ${perMinute.toLocaleString('en')} a minute` : ''
  const end = doneAt === undefined ? '' : `, done about ${doneAt.toISOString()}`
  const until = reason?.until === undefined ? '' : ` until ${reason.until.toISOString()}`
  const why = reason === undefined ? '' : `\n    ${reason.code}${until}: ${reason.message}`
  return `${id}  ${state}  ${bar}\n    ${list.join(', ')}${rate}${end}${why}`
}
