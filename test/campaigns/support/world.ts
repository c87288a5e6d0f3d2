import { randomBytes } from 'node:crypto'
import { type CampaignsParts, createCampaignsClient } from '../../../src/campaigns/campaigns.js'
import { parseCampaignsOptions } from '../../../src/campaigns/options.js'
import type { Campaigns, CampaignsOptions } from '../../../src/campaigns/types.js'
import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import { createMessagingClient } from '../../../src/messaging/messaging.js'
import type { Messaging, Recipient } from '../../../src/messaging/types/methods.js'
import { type CountingPcs, startCountingPcs } from './counting-pcs.js'

export const TEMPLATE_ID = 'tpl_autumn'
export const VAULT_KEY = `k1:${randomBytes(32).toString('base64')}`

/** A counting PCS, and campaigns on one Redis that send to it. */
export interface CampaignWorld {
  readonly pcs: CountingPcs
  readonly prefix: string
  /** Warnings of all instances. */
  readonly warnings: readonly string[]
  /** Another instance, as in another process. */
  open(
    options?: Partial<CampaignsOptions>,
    runtime?: Partial<MessagingRuntime>,
    more?: Pick<CampaignsParts, 'createEngine' | 'ledgerVersion'>,
  ): Campaigns
  messaging(): Messaging
  close(): Promise<void>
}

export async function startCampaignWorld(redis: CampaignsOptions['redis'], prefix: string): Promise<CampaignWorld> {
  const pcs = await startCountingPcs()
  const opened: { close(): Promise<void> }[] = []
  const warnings: string[] = []
  const messaging = (): Messaging => {
    const { apiUrl, tokenUrl, clientId, clientSecret } = pcs
    const client = createMessagingClient({
      config: resolveMessagingConfig({ apiUrl, tokenUrl, clientId, clientSecret }, {}),
    })
    opened.push(client)
    return client
  }
  return {
    pcs,
    prefix,
    warnings,
    messaging,
    open(options = {}, runtime = {}, more = {}) {
      const complete = {
        messaging: options.messaging ?? messaging(),
        ...(redis === undefined ? {} : { redis }),
        vaultKeys: [VAULT_KEY],
        perMinute: 100_000,
        keyPrefix: prefix,
        onWarning: (text: string) => void warnings.push(text),
        ...options,
      }
      const config = parseCampaignsOptions(complete, {})
      const campaigns = createCampaignsClient({ config, runtime: { ...systemMessagingRuntime, ...runtime }, ...more })
      opened.unshift(campaigns) // before the clients that they send with
      return campaigns
    },
    async close() {
      for (const one of opened) await one.close()
      await pcs.close()
    },
  }
}

/** Invented people: `count` of them, each with the same three vars as a mail merge has. */
export function* people(count: number, first = 0): Generator<Recipient> {
  for (let i = first; i < first + count; i++) {
    yield { ppnum: ppnumOf(i), vars: { name: `Person ${i}`, city: 'Seoul', points: i % 1_000 } }
  }
}

export const ppnumOf = (i: number): string => String(50_000_000_000 + i)
