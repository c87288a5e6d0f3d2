import type { MessagingRuntime } from '../messaging/lib/runtime.js'
import type { CampaignLedger } from '../store/campaign-ledger.js'
import { type CampaignSettings, parseSettings } from './settings.js'

/** Settings never change, but someone may delete a campaign by hand and create another with the same id. */
const LASTS_MS = 10_000
const MAX_KNOWN = 1_000

/** Reads and caches the settings of campaigns. `undefined` for one that does not exist, or not yet. */
export function createSettingsReader({
  ledger,
  runtime,
}: {
  readonly ledger: Pick<CampaignLedger, 'read'>
  readonly runtime: Pick<MessagingRuntime, 'monotonic'>
}): (id: string) => Promise<CampaignSettings | undefined> {
  const known = new Map<string, { readonly settings: CampaignSettings; readonly readAtMs: number }>()
  return async (id) => {
    const one = known.get(id)
    if (one !== undefined && runtime.monotonic() - one.readAtMs < LASTS_MS) return one.settings
    const { settings: text, state } = await ledger.read(id)
    const settings = state === 'newer' ? undefined : parseSettings(text)
    if (known.size >= MAX_KNOWN) known.clear()
    if (settings === undefined) known.delete(id)
    else known.set(id, { settings, readAtMs: runtime.monotonic() })
    return settings
  }
}
