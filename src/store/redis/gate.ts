import type { Cluster, Redis } from 'ioredis'
import { firstPlace, isCluster } from './client-address.js'
import { isBreak, isSetupFault, isUnclear } from './faults.js'
import { probePort } from './probe-port.js'

/** Lets calls through once the client is connected to the right Redis and database. */
export interface Gate {
  readonly isOpen: boolean
  /** Why it is shut, as far as known. */
  readonly fault: unknown
  /**
   * Connects if not yet connecting. Resolves once the gate opens; rejects with the next error if Redis refuses us,
   * since waiting does not change that.
   */
  untilOpen(): Promise<void>
}

interface Waiting {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** A connection that did not pass is examined again after this time. */
const EXAMINE_AGAIN_MS = 500
const ASK_AGAIN_MS = 2000

/** What a gate is made of. */
export interface GateParts {
  readonly client: Redis | Cluster
  /** Called each time a connection has passed. */
  readonly onOpen: () => void
}

export function createGate({ client, onOpen }: GateParts): Gate {
  let isOpen = false
  let wasOpen = false
  /** Connected, and not yet ready. */
  let isGreeted = false
  let askAgainAtMs = 0
  /** The last error of the connection: ioredis's, or what we found out if that says little. */
  let said: unknown
  let found: unknown
  let fault: unknown
  let waiting: Waiting | undefined
  let again: NodeJS.Timeout | undefined

  function note(reason: unknown): void {
    if (isOpen) return
    if (said === undefined || !isBreak(reason)) said = reason
    if (isUnclear(said)) void askWhy()
    else found = undefined
    refuse()
  }

  function refuse(): void {
    fault = found ?? said
    if (!isSetupFault(fault)) return
    waiting?.reject(fault)
    waiting = undefined
  }

  function open(): void {
    isOpen = true
    wasOpen = true
    said = found = fault = undefined
    onOpen()
    waiting?.resolve()
    waiting = undefined
  }

  async function admit(): Promise<void> {
    const isSame = sameConnection(client)
    try {
      if (!isCluster(client)) await examine(client)
      if (isSame()) open()
    } catch (error) {
      if (!isSame()) return // the next connection gets its own check
      note(error)
      again = setTimeout(() => void admit(), EXAMINE_AGAIN_MS)
    }
  }

  /** No connection has worked yet and ioredis does not say why, so ask the port. */
  async function askWhy(): Promise<void> {
    const place = firstPlace(client)
    if (place === undefined || wasOpen || performance.now() < askAgainAtMs) return
    askAgainAtMs = Number.POSITIVE_INFINITY
    const answer = await probePort(place)
    askAgainAtMs = performance.now() + ASK_AGAIN_MS
    if (isOpen) return
    const isSentinel = !isCluster(client) && client.options.sentinels
    found = answer && isSentinel ? new Error(`All sentinels are unreachable. ${answer.message}`) : answer
    refuse()
  }

  client.on('error', note)
  client.on('node error', note) // of a Cluster
  client.on('connect', () => {
    isGreeted = true
  })
  client.on('ready', () => {
    isGreeted = false
    void admit()
  })
  client.on('close', () => {
    clearTimeout(again)
    isOpen = false
    // If a Cluster's state is not "ok" after its slots were read, ioredis disconnects without an error.
    const isDown = isGreeted && isCluster(client)
    isGreeted = false
    note(new Error(isDown ? 'CLUSTERDOWN by CLUSTER INFO' : 'Connection is closed.'))
  })

  return {
    get isOpen() {
      return isOpen
    },
    get fault() {
      return fault
    },
    untilOpen() {
      if (client.status === 'wait') client.connect().catch(() => {}) // the 'error' listener hears why
      waiting ??= createWaiting()
      return waiting.promise
    },
  }
}

/** Whether it is still the connection it was at this call. */
function sameConnection(client: Redis | Cluster): () => boolean {
  const stream = isCluster(client) ? undefined : client.stream
  return () => client.status === 'ready' && (isCluster(client) || client.stream === stream)
}

function createWaiting(): Waiting {
  const parts = { resolve: (): void => {}, reject: (_reason: unknown): void => {} }
  const promise = new Promise<void>((resolve, reject) => Object.assign(parts, { resolve, reject }))
  return { promise, ...parts }
}

/**
 * Checks that a new connection leads to the right place. ioredis stays in database 0 if it may not SELECT the
 * configured one, and mistakes a node of a Cluster for a whole Redis.
 * @throws what is wrong, as Redis reports it or in words that `judge` knows
 */
async function examine(client: Redis): Promise<void> {
  const { db, sentinels } = client.options
  // ioredis has selected it already, but does not report whether that worked.
  const selected = Number(db) > 0 ? client.select(Number(db)) : undefined
  // Behind Sentinel ioredis itself asks, to check that it is a master.
  const [info] = await Promise.all([sentinels ? '' : infoOf(client), selected])
  if (/^loading:1/m.test(info)) throw new Error('LOADING Redis is loading the dataset in memory')
  if (/^cluster_enabled:1/m.test(info) && (await sizeOfCluster(client)) > 1) {
    throw new Error('this is one node of a Cluster')
  }
}

/** Empty if the user may not ask: then a fault shows up in the calls. */
function infoOf(client: Redis): Promise<string> {
  return client.info().catch((error: unknown) => {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return ''
    throw error
  })
}

/** How many masters have slots. If it is only one, that node has all keys, so a plain client works. */
async function sizeOfCluster(client: Redis): Promise<number> {
  const info = await client.cluster('INFO').catch(() => '')
  return Number(/^cluster_size:(\d+)/m.exec(String(info))?.[1] ?? 0)
}
