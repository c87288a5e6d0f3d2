/** Every key of one consumer name. The name in braces puts them into one Cluster slot. */
export interface RedisConsumerKeys {
  /** A string: who is active. Lives as long as the lease. */
  readonly lease: string
  /** A hash: `fence`, `sequence`, `checkpoint`, `queued` while entries may wait, `lost` until a loss is accepted. */
  readonly place: string
  /** A string: the newest fence. If it exists and the place does not, the place was lost. */
  readonly mark: string
  /** A list: the dead letters, oldest first. */
  readonly letters: string
  /** A hash: the dead letters' texts by event. */
  readonly letterTexts: string
  /** A stream: what waits for workers. */
  readonly queue: string
}

/**
 * @param prefix ends with a colon, has no braces
 * @param name has no braces
 */
export function keysOfConsumer(prefix: string, name: string): RedisConsumerKeys {
  const base = `${prefix}consumer:{${name}}:`
  return {
    lease: `${base}lease`,
    place: `${base}place`,
    mark: `${base}mark`,
    letters: `${base}letters`,
    letterTexts: `${base}letter-texts`,
    queue: `${base}queue`,
  }
}
