import type { Redis } from 'ioredis'
import { PpoppoError } from '../errors.js'
import { CALL_TIMEOUT_MS, createOwnClient, isCluster, type RedisSource, type ScriptedClient } from './redis-client.js'
import { RedisTimeout, toStoreError } from './redis-faults.js'
import type { RedisScripts } from './redis-lua.js'

/** One command or script on our client. */
type Command<Name extends string, T> = (client: ScriptedClient<Name>) => Promise<T>

/** Our own connection to Redis, with the scripts of these names. */
export interface RedisConnection<Name extends string> {
  /** Whether keys live on several nodes, each with its own clock. */
  readonly isCluster: boolean
  /** How long a call that begins now may take. */
  readonly callTimeoutMs: number
  /**
   * Runs one command within a second, waiting for the connection included.
   * @param operation the store's method, for the error message
   * @param blocksMs how long the command itself may wait in Redis, on top of the second; below {@link MOST_BLOCK_MS}
   * @throws `store_unavailable`; `closed` after `close()`
   */
  run<T>(operation: string, command: Command<Name, T>, blocksMs?: number): Promise<T>
  /** The clients to scan: all masters of a Cluster, else the one. */
  masters(): readonly Redis[]
  /** Lets what was sent be answered for half a second, then closes. Idempotent. */
  close(): Promise<void>
  /** Closes at once; what is under way fails. Idempotent. */
  drop(): void
}

/** How long a call may take while calls are known to run out of time, so that the second one adds little. */
const HASTY_CALL_TIMEOUT_MS = 250
/** How long calls are hasty after one ran out of time. Then one may wait in full again: a slow link is not a dead one. */
const HASTE_MS = 1000
const CLOSE_TIMEOUT_MS = 500

/** Opens our own connection, at the first call. */
export function connectRedis<Name extends string>(
  source: RedisSource,
  scripts: RedisScripts<Name>,
): RedisConnection<Name> {
  const client = createOwnClient(source, scripts)
  let connectionError: unknown
  let becomingReady: Promise<void> | undefined
  let hastyUntil = 0
  let closing: Promise<void> | undefined

  client.on('error', (error: unknown) => {
    connectionError = error
  })
  client.on('ready', () => {
    connectionError = undefined
  })

  function untilReady(): Promise<void> {
    if (client.status === 'wait') client.connect().catch(() => {}) // the 'error' listener hears why
    becomingReady ??= new Promise((resolve) => {
      client.once('ready', () => {
        becomingReady = undefined
        resolve()
      })
    })
    return becomingReady
  }

  async function attemptOnceReady<T>(command: Command<Name, T>, isOver: () => boolean): Promise<T> {
    await untilReady()
    if (isOver()) throw new RedisTimeout() // its caller is gone: do not run it late
    return command(client)
  }

  async function quit(): Promise<void> {
    if (client.status === 'ready') await within(CLOSE_TIMEOUT_MS, () => client.quit()).catch(() => {})
    if (client.status !== 'end') client.disconnect()
  }

  function callTimeoutMs(): number {
    return performance.now() < hastyUntil ? HASTY_CALL_TIMEOUT_MS : CALL_TIMEOUT_MS
  }

  return {
    isCluster: client.isCluster,
    get callTimeoutMs() {
      return callTimeoutMs()
    },
    async run(operation, command, blocksMs = 0) {
      if (closing !== undefined) throw new PpoppoError('closed', 'The store is closed: close() was called.')
      const timeoutMs = callTimeoutMs() + blocksMs
      try {
        const result = await within(timeoutMs, (isOver) =>
          client.status === 'ready' ? command(client) : attemptOnceReady(command, isOver),
        )
        hastyUntil = 0
        return result
      } catch (error) {
        if (error instanceof RedisTimeout) hastyUntil = performance.now() + HASTE_MS
        throw toStoreError(operation, error, connectionError)
      }
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

/** Settles as `task` does, or rejects with {@link RedisTimeout}. On every call's way, hence without further promises. */
function within<T>(timeoutMs: number, task: (isOver: () => boolean) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false
    const giveUp = (): void => {
      isOver = true
      reject(new RedisTimeout(`no answer within ${timeoutMs} ms`))
    }
    // A process that was busy comes to its timers before it reads an answer that is there: one more turn of the loop.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs)
    task(() => isOver).then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
