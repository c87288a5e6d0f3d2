import { isPpoppoError, PpoppoError } from '../errors.js'
import { notify } from '../lib/notify.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../messaging/lib/runtime.js'
import { createRedisCampaignLedger } from '../store/redis/campaigns/ledger.js'
import { type BullmqEngine, type BullmqEngineParts, createBullmqEngine } from './bullmq-engine.js'
import { createCampaignHandle } from './campaign.js'
import { createCampaign } from './create.js'
import { createKeySource } from './key-source.js'
import { createLearn } from './learn.js'
import { type CampaignsConfig, parseCampaignId, parseWorkOptions } from './options.js'
import { readProgress } from './progress.js'
import { createSeal } from './seal.js'
import { createSettingsReader } from './settings-reader.js'
import type { CampaignProgress, Campaigns } from './types.js'
import { Work } from './work.js'

/** What {@link createCampaignsClient} is made of. */
export interface CampaignsParts {
  readonly config: CampaignsConfig
  /** Clock and timers. @default the real ones */
  readonly runtime?: MessagingRuntime
  /** What carries chunks to workers. @default BullMQ */
  readonly createEngine?: (parts: BullmqEngineParts) => BullmqEngine
  /** Version of the ledger. @default this library's */
  readonly ledgerVersion?: number
}

/** Puts one instance together. Connects at the first call. */
export function createCampaignsClient({
  config,
  runtime = systemMessagingRuntime,
  createEngine = createBullmqEngine,
  ledgerVersion: version,
}: CampaignsParts): Campaigns {
  const { redis, messaging, rate } = config
  const warn = (text: string): void => {
    if (config.onWarning === undefined) process.emitWarning(text, 'PpoppoWarning')
    else notify(config.onWarning, text)
  }
  const ledger = createRedisCampaignLedger({
    ...{ redis, prefix: config.keyPrefix },
    ...(version === undefined ? {} : { version }),
  })
  const seal = createSeal(createKeySource({ vaultKeys: config.vaultKeys, ledger, warn }))
  const settingsOf = createSettingsReader({ ledger, runtime })
  const learn = createLearn({ ledger, seal, messaging, runtime })
  const handle = (id: string) => createCampaignHandle({ ledger, seal, runtime, id })
  let engine: BullmqEngine | undefined
  const openEngine = (): BullmqEngine => {
    assertOpen()
    engine ??= createEngine({ redis, prefix: ledger.queuePrefix })
    return engine
  }
  let work: Work | undefined
  let closing: Promise<void> | undefined
  let hasLooked = false
  function assertOpen(): void {
    if (closing !== undefined) throw new PpoppoError('closed', 'The campaigns are closed: close() was called.')
  }

  /** Once: whether Redis may lose what is in it. */
  async function look(): Promise<void> {
    if (hasLooked) return
    hasLooked = true
    const warning = await ledger.readWarning()
    if (warning !== undefined) warn(warning)
  }

  /** One that cannot be read hides no other: it is gone (its create() died), or of a newer version, which is warned of. */
  async function readListed(id: string): Promise<readonly CampaignProgress[]> {
    try {
      return [await readProgress({ ledger, runtime }, id)]
    } catch (error) {
      if (!isPpoppoError(error, 'not_found') && !isPpoppoError(error, 'config_invalid')) throw error
      if (error.code === 'config_invalid') warn(error.message)
      return []
    }
  }

  async function end(): Promise<void> {
    await work?.close()
    await engine?.close()
    await ledger.close()
  }

  return {
    async create(request) {
      assertOpen()
      void look()
      return handle(await createCampaign({ ledger, seal, request }))
    },
    get: (id) => handle(parseCampaignId(id)),
    async list({ limit = 100 } = {}) {
      const ids = await ledger.list(limit)
      return (await Promise.all(ids.map(readListed))).flat()
    },
    work(options) {
      const checked = parseWorkOptions(options)
      assertOpen()
      if (work !== undefined) throw new PpoppoError('request_invalid', 'campaigns: one worker per process is enough.')
      void look()
      work = new Work({
        ledger,
        seal,
        engine: openEngine(),
        messaging,
        settingsOf,
        rate,
        options: checked,
        warn,
        runtime,
      })
      return work
    },
    learn,
    get queue() {
      return openEngine().queue
    },
    close() {
      closing ??= end()
      return closing
    },
  }
}
