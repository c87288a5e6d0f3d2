import { parseKeyPrefix } from '../config/checks.js'
import { CAMPAIGNS_VARIABLES, checkKeys, createSource, Faults } from '../config/environment-variables.js'
import type { VaultKey } from '../config/options.js'
import { parseRedis } from '../config/redis.js'
import { parseVaultKeys, requireInProduction } from '../config/secrets.js'
import { PpoppoError } from '../errors.js'
import { isName, isPlainObject, isWholeNumber, NAME_RULE } from '../lib/guards.js'
import { LONGEST_TIMER_MS } from '../lib/wait.js'
import { type CheckVars, toPlainRequest } from '../messaging/wire/defined-template.js'
import { checkNames, parseId, parsePoll, record } from '../messaging/wire/validate.js'
import type { CallRate } from '../store/campaign-ledger.js'
import type { RedisSource } from '../store/redis/client.js'
import type { CampaignSettings } from './settings.js'
import type { CampaignFilter, CampaignRequest, CampaignsOptions, CampaignWorkOptions } from './types.js'
import { isTimeZone, parseTimeOfDay } from './windows.js'

/** {@link CampaignsOptions}, checked. */
export interface CampaignsConfig extends Pick<CampaignsOptions, 'messaging' | 'onWarning'> {
  readonly redis: RedisSource
  /** Absent in development if none is set: then one is created once and shared through Redis. */
  readonly vaultKeys?: readonly VaultKey[]
  readonly rate: CallRate
  readonly keyPrefix: string
}

const NAMES = ['messaging', 'redis', 'vaultKeys', 'perMinute', 'share', 'keyPrefix', 'onWarning']
const MAX_PER_MINUTE = 1_000_000
/** A little slower than allowed: at the limit itself, a call would wait for the one a minute before to be answered. */
const USED = 0.99
const MINUTE_MS = 60_000

/** @throws `config_invalid` with all faults */
export function parseCampaignsOptions(options: unknown, env: NodeJS.ProcessEnv): CampaignsConfig {
  const faults = new Faults(CAMPAIGNS_VARIABLES, 'createCampaigns')
  const given = isPlainObject(options) ? options : {}
  checkKeys(given, NAMES, '', faults)
  const { messaging, perMinute, share = 1, onWarning } = given
  if (!isPlainObject(messaging) || typeof messaging['send'] !== 'function')
    faults.add('messaging', 'must be a Messaging client: createMessaging(), or auth.messaging')
  if (!isWholeNumber(perMinute, 1, MAX_PER_MINUTE))
    faults.add(
      'perMinute',
      'must be the number of calls per minute that the app may make: rateLimitPerMin of app.stats()',
    )
  if (typeof share !== 'number' || !(share > 0 && share <= 1)) faults.add('share', 'must be above 0 and at most 1')
  if (onWarning !== undefined && typeof onWarning !== 'function') faults.add('onWarning', 'must be a function')
  const source = createSource({ options: given, variables: CAMPAIGNS_VARIABLES, env })
  const redisGiven = source.value('redis')
  const redis = parseRedis(redisGiven, faults)
  if (redis === undefined && (redisGiven ?? '') === '')
    faults.addMissing('redis', 'is missing: campaigns are kept in Redis')
  const keys = source.list('vaultKeys')
  if (env['NODE_ENV'] === 'production') requireInProduction('vaultKeys', keys, faults)
  const vaultKeys = parseVaultKeys(keys, faults, (option, problem) => faults.add(option, problem))
  const keyPrefix = parseKeyPrefix(given['keyPrefix'] ?? 'ppoppo:', faults)
  faults.throwIfAny()
  const checked = given as unknown as CampaignsOptions
  return {
    messaging: checked.messaging,
    ...(checked.onWarning === undefined ? {} : { onWarning: checked.onWarning }),
    redis: redis as RedisSource,
    ...(vaultKeys === undefined ? {} : { vaultKeys }),
    rate: toRate(Number(perMinute) * Number(share)),
    keyPrefix,
  }
}

function toRate(perMinute: number): CallRate {
  return { perMinute: Math.max(1, Math.floor(perMinute)), intervalMs: MINUTE_MS / (perMinute * USED) }
}

/** A {@link CampaignRequest}, checked. `zones` has the window's own zone only. */
export interface CheckedRequest extends Pick<CampaignRequest, 'id' | 'recipients' | 'timeZoneOf'> {
  /** The check of the vars, if a defined template is to be sent. */
  readonly checkVars?: CheckVars | undefined
  readonly settings: CampaignSettings
}

const REQUEST_NAMES = ['id', 'templateId', 'recipients', 'poll', 'startAt', 'window', 'timeZoneOf']

/** @throws `request_invalid` with the name of the value */
export function parseCampaignRequest(request: unknown): CheckedRequest {
  const { request: plain, checkVars } = toPlainRequest(request)
  const given = record(plain, 'The request', 'create({ id, templateId, recipients })')
  checkNames(given, REQUEST_NAMES, '')
  const { startAt, timeZoneOf } = given
  const poll = parsePoll(given['poll'])
  const window = parseWindow(given['window'])
  if (startAt !== undefined && !(startAt instanceof Date && Number.isFinite(startAt.getTime())))
    throw invalid('startAt', 'must be a valid Date')
  if (timeZoneOf !== undefined && typeof timeZoneOf !== 'function')
    throw invalid('timeZoneOf', 'must be a function that gives the time zone of a recipient')
  if (timeZoneOf !== undefined && window === undefined) throw invalid('timeZoneOf', 'needs "window"')
  const checked = given as unknown as CampaignRequest
  return {
    id: parseCampaignId(given['id']),
    recipients: checked.recipients,
    ...(checkVars && { checkVars }),
    ...(checked.timeZoneOf === undefined ? {} : { timeZoneOf: checked.timeZoneOf }),
    settings: {
      templateId: parseId(given['templateId'], 'templateId'),
      ...(poll === undefined ? {} : { poll }),
      ...(startAt === undefined ? {} : { startAt: startAt.getTime() }),
      ...(window === undefined ? {} : { window: { from: window.from, to: window.to } }),
      zones: [window?.timeZone ?? ''],
    },
  }
}

/** A campaign's id. @throws `request_invalid` */
export function parseCampaignId(id: unknown): string {
  if (isName(id)) return id
  throw invalid('id', NAME_RULE)
}

function parseWindow(
  value: unknown,
): { readonly from: string; readonly to: string; readonly timeZone: string } | undefined {
  if (value === undefined) return undefined
  const given = record(value, 'window', "{ from: '09:00', to: '20:00', timeZone: 'Asia/Seoul' }")
  checkNames(given, ['from', 'to', 'timeZone'], 'window.')
  const { from, to, timeZone } = given
  if (parseTimeOfDay(from) === undefined) throw invalid('window.from', 'must be a time such as 09:00')
  if (parseTimeOfDay(to) === undefined) throw invalid('window.to', 'must be a time such as 20:00, 24:00 at most')
  if (from === to) throw invalid('window.to', 'must not be the same as "window.from"')
  if (!isTimeZone(timeZone)) throw invalid('window.timeZone', 'must be an IANA time zone, such as Asia/Seoul')
  return { from: String(from), to: String(to), timeZone }
}

/** {@link CampaignWorkOptions}, checked, with defaults. */
export function parseWorkOptions(options: unknown): Required<CampaignWorkOptions> {
  const given = options === undefined ? {} : record(options, 'The options', 'work({ concurrency, filters })')
  checkNames(given, ['concurrency', 'filters', 'drainMs'], '')
  const { concurrency = 4, filters = {}, drainMs = 25_000 } = given
  if (!isWholeNumber(concurrency, 1, 1_000)) throw invalid('concurrency', 'must be a whole number from 1 to 1000')
  if (!isWholeNumber(drainMs, 0, LONGEST_TIMER_MS)) throw invalid('drainMs', 'must be milliseconds')
  if (!isPlainObject(filters) || !Object.values(filters).every((filter) => typeof filter === 'function'))
    throw invalid('filters', 'must be functions by campaign id')
  return { concurrency, drainMs, filters: filters as Readonly<Record<string, CampaignFilter>> }
}

function invalid(name: string, problem: string): PpoppoError {
  return new PpoppoError('request_invalid', `campaigns: "${name}" ${problem}.`)
}
