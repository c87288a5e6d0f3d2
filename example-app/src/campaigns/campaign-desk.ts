/*
 * Campaigns: one message to any number of people, sent by all processes that share a Redis. The library does all of it;
 * here is only where they are made, and who may start one.
 */
import type { RequestHandler } from 'express'
import type { Messaging } from 'express-ppoppo'
import { type Campaigns, type CampaignsOptions, createCampaigns } from 'express-ppoppo/campaigns'
import { signedInPerson } from '../account.js'
import type { CampaignsConfig } from '../config.js'
import { HttpError } from '../http-error.js'

export interface CampaignDesk {
  readonly campaigns: Campaigns
  readonly operators: CampaignsConfig['operators']
}

/** A fifth of what Ppoppo allows is left to the messages that people send by hand. */
const SHARE = 0.8

/** Redis and vault keys come from REDIS_URL and PPOPPO_VAULT_KEYS. @throws PpoppoError `config_invalid` */
export function openCampaigns(
  { perMinute, operators }: CampaignsConfig,
  messaging: Messaging,
  options: Partial<CampaignsOptions> = {},
): CampaignDesk {
  return { campaigns: createCampaigns({ messaging, perMinute, share: SHARE, ...options }), operators }
}

/** Behind `requireSignIn()`: to be signed in is not enough to write to everybody. */
export function operatorsOnly({ operators }: CampaignDesk): RequestHandler {
  return (req, _res, next) => {
    const mayOperate = operators === 'everybody' || operators.includes(signedInPerson(req).user.ppnum)
    next(mayOperate ? undefined : new HttpError(403, 'not_an_operator'))
  }
}
