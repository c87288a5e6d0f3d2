import { type RedisScripts, TIME_SCRIPT } from '../lua.js'
import { CREATE_SCRIPTS, type CreateScriptName } from './create-scripts.js'
import { PACE_SCRIPTS, type PaceScriptName } from './pace-scripts.js'
import { SEND_SCRIPTS, type SendScriptName } from './send-scripts.js'
import { STEER_SCRIPTS, type SteerScriptName } from './steer-scripts.js'

/** The commands our client gets for campaigns, by name. */
export type CampaignScriptName = 'ppoppoTime' | CreateScriptName | SendScriptName | SteerScriptName | PaceScriptName

/** The Lua scripts of the ledger of campaigns; `script-parts.ts` says how it is laid out. */
export const CAMPAIGN_SCRIPTS: RedisScripts<CampaignScriptName> = {
  ...TIME_SCRIPT,
  ...CREATE_SCRIPTS,
  ...SEND_SCRIPTS,
  ...STEER_SCRIPTS,
  ...PACE_SCRIPTS,
}
