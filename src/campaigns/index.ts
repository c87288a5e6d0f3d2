/*
 * Campaigns: one message to millions of people, from many processes, and to nobody twice. Owns: the frozen list of
 * recipients, the outcome of each chunk, the pace, the hours, pause and cancel. Never does: decide who gets what, or know
 * how a chunk reaches a worker, which is the engine's job.
 */
import { createCampaignsClient } from './campaigns.js'
import { parseCampaignsOptions } from './options.js'
import type { Campaigns, CampaignsOptions } from './types.js'

export { isPpoppoError, PpoppoError, type PpoppoErrorCode } from '../errors.js'
export type * from './types.js'

/**
 * Campaigns of one app, in Redis, sent by as many processes as call `work()`. `bullmq` (6.3.3 or newer, below 7) must be
 * installed. Connects at the first call.
 *
 * @throws `config_invalid` with all faults at once
 *
 * @example
 * const campaigns = createCampaigns({ messaging: createMessaging(), perMinute: 600, share: 0.8 })
 * const campaign = await campaigns.create({ id: 'autumn-2026', templateId, recipients: readCsv('people.csv') })
 * const work = campaigns.work({ concurrency: 4 })
 */
export function createCampaigns(options: CampaignsOptions): Campaigns {
  return createCampaignsClient({ config: parseCampaignsOptions(options, process.env) })
}
