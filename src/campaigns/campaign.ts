import { PpoppoError } from '../errors.js'
import type { CampaignLedger, LedgerState } from '../store/campaign-ledger.js'
import { newerError, unknownCampaign } from './faults.js'
import { followProgress, type ProgressParts, readProgress, readRecord } from './progress.js'
import type { Seal } from './seal.js'
import type { Campaign, UnknownChunk } from './types.js'

/** What a {@link Campaign} is made of. */
export interface CampaignParts extends ProgressParts {
  readonly seal: Seal
  readonly id: string
}

const PAGE = 20
/** Stored instead of the send's id if a person settled the chunk. */
const BY_HAND = 'by-hand'

export function createCampaignHandle(parts: CampaignParts): Campaign {
  const { ledger, seal, id } = parts
  const set = async (wish: 'pause' | 'resume' | 'cancel'): Promise<void> => {
    assertThere(await ledger.set(id, wish), id)
  }
  return {
    id,
    pause: () => set('pause'),
    resume: () => set('resume'),
    cancel: () => set('cancel'),
    show: () => readProgress(parts, id),
    progress: (options) => followProgress(parts, id, options),
    unknown: () => readUnknown(ledger, seal, id),
    async settle(index, verdict) {
      if (verdict !== 'sent' && verdict !== 'not-sent')
        throw new PpoppoError('request_invalid', "campaigns: the verdict must be 'sent' or 'not-sent'.")
      const answer = await ledger.judge(id, index, verdict, BY_HAND)
      if (answer === 'gone' || answer === 'newer') assertThere(answer, id)
      if (answer === 'other')
        throw new PpoppoError('not_found', `The campaign ${id} has no chunk ${index} with an unknown outcome.`)
    },
  }
}

async function* readUnknown(ledger: CampaignLedger, seal: Seal, id: string): AsyncGenerator<UnknownChunk> {
  await readRecord(ledger, id)
  const seen = new Set<number>()
  // Chunks settled meanwhile have left the list, so the next page begins where unseen ones may be.
  for (let from = 0; ; ) {
    const entries = await ledger.unknown(id, from, PAGE)
    if (entries.length === 0) return
    const fresh = entries.filter(({ index }) => !seen.has(index))
    for (const { index, at, chunk } of fresh) {
      seen.add(index)
      const recipients = chunk === undefined ? [] : await seal.openChunk(id, index, chunk)
      if (recipients === undefined)
        throw new PpoppoError('config_invalid', `A chunk of ${id} opens with none of the "vaultKeys". Is one missing?`)
      yield { index, recipients, since: new Date(at) }
    }
    from = fresh.length === 0 ? from + entries.length : 0
  }
}

function assertThere(state: LedgerState, id: string): void {
  if (state === 'gone') throw unknownCampaign(id)
  if (state === 'newer') throw newerError(id)
}
