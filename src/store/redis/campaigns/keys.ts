/** Every Redis key of campaigns. The text in braces puts all of them, and the queue, into one Cluster slot. */
export interface RedisCampaignKeys {
  /** Prefix of the queue's own keys: `{ppoppo:campaigns}`. */
  readonly queuePrefix: string
  /** A sorted set: ids of all campaigns by when they were created. */
  readonly all: string
  /** A sorted set: ids of those that have not ended. */
  readonly active: string
  /** A hash: `next` (when the next call is due), `last` (when the last one was), `restUntil`, `restCode`. */
  readonly pace: string
  /** A sorted set: claims of the calls of the last minute, by when each reached PCS at the latest. */
  readonly calls: string
  /** A sorted set: `<worker> <concurrency>` by when it was last seen. */
  readonly workers: string
  /** A string: until when no worker counts as dead, after Redis was away. */
  readonly truce: string
  /**
   * A string: who hands out chunks now, of those that know this version of the ledger. Lives as long as its turn. One
   * for each version: an older worker would hand out nothing of a newer campaign.
   */
  feeder(version: number): string
  /** A string: in development, the key that seals chunks where none is configured. */
  readonly developmentKey: string
  of(id: string): RedisCampaignKeysOfOne
}

/** The keys of one campaign. */
export interface RedisCampaignKeysOfOne {
  /** A hash: version, state, settings, counts. */
  readonly meta: string
  /** A sorted set: indexes of the planned chunks, by zone and index. */
  readonly todo: string
  /** A sorted set: indexes of the chunks that a worker has claimed but not begun to send. */
  readonly held: string
  /** A sorted set: indexes that are being sent. */
  readonly sending: string
  /** A sorted set: indexes whose outcome is unknown. */
  readonly unknown: string
  /** A hash: the outcome of each chunk; see `script-parts.ts`. */
  readonly ledger: string
  /** A hash: the sealed chunks, until they are settled. */
  readonly chunks: string
  /** A hash: how many recipients were settled in each ten seconds. */
  readonly rate: string
  /** A hash: the sealed chunks of one `create()` that is still reading. */
  draft(token: string): string
}

/** @param prefix ends with a colon, has no braces */
export function createRedisCampaignKeys(prefix: string): RedisCampaignKeys {
  const queuePrefix = `{${prefix}campaigns}`
  return {
    queuePrefix,
    all: `${queuePrefix}:all`,
    active: `${queuePrefix}:active`,
    pace: `${queuePrefix}:pace`,
    calls: `${queuePrefix}:calls`,
    workers: `${queuePrefix}:workers`,
    truce: `${queuePrefix}:truce`,
    feeder: (version) => `${queuePrefix}:feeder:${version}`,
    developmentKey: `${queuePrefix}:dev-key`,
    of(id) {
      const base = `${queuePrefix}:one:${id}:`
      return {
        meta: `${base}meta`,
        todo: `${base}todo`,
        held: `${base}held`,
        sending: `${base}sending`,
        unknown: `${base}unknown`,
        ledger: `${base}ledger`,
        chunks: `${base}chunks`,
        rate: `${base}rate`,
        draft: (token) => `${base}draft:${token}`,
      }
    },
  }
}
