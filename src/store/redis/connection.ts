import type { Cluster, Redis } from 'ioredis'
import { PpoppoError } from '../../errors.js'
import { createCallDeadlines } from './call-deadlines.js'
import { createOwnClient, type RedisSource, type ScriptedClient } from './client.js'
import { isCluster } from './client-address.js'
import { Countdown } from './countdown.js'
import { isReplyError, RedisTimeout, reasonOf, toStoreError } from './faults.js'
import { createGate } from './gate.js'
import type { RedisScripts } from './lua.js'

/**
 * One command or script on our client.
 * @param time at its end its caller stops waiting
 */
type Command<Name extends string, T> = (client: ScriptedClient<Name>, time: Countdown) => Promise<T>

/** Our own connection to Redis, with the scripts of these names. */
export interface RedisConnection<Name extends string> {
  /** Whether keys live on several nodes, each with its own clock. */
  readonly isCluster: boolean
  /**
   * Runs one command within a second in which this process has its turn, waiting for the connection included.
   * @param operation the store's method, for the error message
   * @param blocksMs how long the command itself may wait in Redis, on top of the second; below {@link MAX_BLOCK_MS}
   * @throws `store_unavailable`; `closed` after `close()`
   */
  run<T>(operation: string, command: Command<Name, T>, blocksMs?: number): Promise<T>
  /** The fault of a Redis that has not answered for this long: what is wrong with the connection, if that is known. */
  silence(waitedMs: number): PpoppoError
  /** The clients to scan: all masters of a Cluster, otherwise the only client. */
  masters(): readonly Redis[]
  /** Waits up to half a second for open answers, then closes. Idempotent. */
  close(): Promise<void>
  /** Closes at once; what is under way fails. Idempotent. */
  drop(): void
}

const CLOSE_TIMEOUT_MS = 500

/** What a connection is made of. */
export interface ConnectionParts<Name extends string> {
  /** A client or Cluster (duplicated, never closed), or a URL. */
  readonly redis: RedisSource
  readonly scripts: RedisScripts<Name>
  /** Called whenever a connection works. */
  readonly onReady?: () => void
}

/** Opens our own connection, at the first call. */
export function connectRedis<Name extends string>({
  redis,
  scripts,
  onReady = (): void => {},
}: ConnectionParts<Name>): RedisConnection<Name> {
  const { client, name, calmDown } = createOwnClient({ redis, scripts })
  const deadlines = createCallDeadlines()
  let closing: Promise<void> | undefined
  const gate = createGate({
    client,
    onOpen: () => {
      calmDown()
      deadlines.end()
      onReady()
    },
  })

  async function sendOnceReady<T>(command: Command<Name, T>, time: Countdown): Promise<T> {
    await gate.untilOpen()
    if (time.leftMs <= 0) throw new RedisTimeout('no connection in time') // do not run it late
    return send(command, time)
  }

  function send<T>(command: Command<Name, T>, time: Countdown): Promise<T> {
    if (!isCluster(client)) gatherWrites(client)
    return command(client, time)
  }

  async function quit(): Promise<void> {
    if (client.status === 'ready') await withinAfterReading(CLOSE_TIMEOUT_MS, () => client.quit()).catch(() => {})
    if (client.status !== 'end') client.disconnect()
  }

  return {
    isCluster: client.isCluster,
    async run(operation, command, blocksMs = 0) {
      if (closing !== undefined) throw new PpoppoError('closed', 'The store is closed: close() was called.')
      const call = deadlines.begin(blocksMs)
      try {
        return await withinAfterReading(
          call.giveUpAtMs - call.beganAtMs,
          (time) => (gate.isOpen && isWritable(client) ? send(command, time) : sendOnceReady(command, time)),
          () => deadlines.answered(call),
          call.beganAtMs,
        )
      } catch (error) {
        if (error instanceof RedisTimeout) deadlines.ranOut(call)
        throw toStoreError(operation, reasonOf(error, gate.fault), name)
      }
    },
    silence(waitedMs): PpoppoError {
      return toStoreError('connect', reasonOf(new RedisTimeout(`no answer within ${waitedMs} ms`), gate.fault), name)
    },
    masters: () => (isCluster(client) ? client.nodes('master') : [client]),
    close(): Promise<void> {
      closing ??= quit()
      return closing
    },
    drop(): void {
      if (closing === undefined) client.disconnect()
      closing ??= Promise.resolve()
    },
  }
}

/** A connection that has just broken is 'ready' until its 'close' event. */
function isWritable(client: Redis | Cluster): boolean {
  return client.status === 'ready' && (isCluster(client) || client.stream.writable)
}

/**
 * Everything sent before the next turn of the event loop leaves in one write. ioredis's own pipelining does the same,
 * but sends nothing more until Redis has answered: one slow command would hold up all that come after it.
 */
function gatherWrites({ stream }: Redis): void {
  if (stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}

/**
 * Settles like `task`, or rejects with {@link RedisTimeout} once the time is up and what the socket holds has been
 * read. Every call goes through here, so it creates no further promises.
 * @param onAnswer called when Redis has answered, even if too late
 */
function withinAfterReading<T>(
  timeoutMs: number,
  task: (time: Countdown) => Promise<T>,
  onAnswer = (): void => {},
  beganAtMs: number = performance.now(),
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new RedisTimeout(`no answer within ${Math.round(timeoutMs)} ms`))
    const time = new Countdown(timeoutMs, giveUp, beganAtMs)
    task(time).then(
      (result) => {
        time.stop()
        onAnswer()
        resolve(result)
      },
      (error: unknown) => {
        time.stop()
        if (isReplyError(error)) onAnswer()
        reject(error)
      },
    )
  })
}
