import type { ChannelOptions, Client } from '@grpc/grpc-js'
import type { MessagingConfig } from '../../config/messaging-options.js'
import { Disposers } from '../../lib/disposers.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { CallScope } from '../lib/scope.js'
import { grpc } from './grpc.js'
import { trackHandshakes } from './handshakes.js'
import { Liveness, untilLoopHasRead } from './liveness.js'

const MEBIBYTE = 1024 * 1024
/** grpc-js's names of connectivity, by number. */
const STATES = ['idle', 'connecting', 'ready', 'transient_failure', 'shutdown'] as const
const CONNECTING = 1
const READY = 2
/** A shorter silence says nothing about a connection. */
const SILENT_MS = 1_000
const FINAL_STATES: readonly number[] = [2, 3, 4]

/** A share of this process's only channel to an endpoint. */
export interface Channel {
  /** The gRPC client to use now; the watchdog may replace it. */
  client(): Client
  /** Connectivity, without connecting. */
  state(): (typeof STATES)[number]
  /** Notes that something came over the connection. */
  heard(): void
  /**
   * Must be called before a call that must not happen twice. Resolves once everything that reached this process is read, and
   * a connection that was silent for long has answered a harmless call, or was replaced. Rejects if the scope ends first.
   */
  prove(token: string, scope: CallScope): Promise<void>
  /** Starts connecting, and resolves when that has succeeded or failed, or at `deadline`. */
  settle(deadline: Date): Promise<void>
  /** Returns the share; the last one closes the channel. Idempotent. */
  release(): void
}

interface Shared {
  client: Client
  /** Closes the client. */
  end: () => void
  shares: number
  isWatched: boolean
  readonly liveness: Liveness
}

/** By endpoint and options: a channel per request leaks, and one per client opens more connections than needed. */
const shared = new Map<string, Shared>()

/** Takes a share of the channel to the API's host, and creates the channel if necessary. Connects with the first call. */
export function openChannel(config: MessagingConfig, runtime: MessagingRuntime): Channel {
  const url = new URL(config.apiUrl)
  const isTls = url.protocol === 'https:'
  // Plaintext is allowed on this machine only; grpc-js would send it, with the token, through the proxy in http_proxy.
  const options = {
    ...optionsOf(config),
    ...config.grpcChannelOptions,
    ...(isTls ? {} : { 'grpc.enable_http_proxy': 0 }),
  }
  // A path or a scheme in the target would break name resolution.
  const target = `${url.hostname}:${url.port || (isTls ? 443 : 80)}`
  const create = (): Pick<Shared, 'client' | 'end'> => {
    const { Client: GrpcClient, credentials } = grpc()
    const tracked = trackHandshakes(isTls ? credentials.createSsl() : credentials.createInsecure())
    const client = new GrpcClient(target, tracked.credentials, options)
    return {
      client,
      end: () => {
        client.close()
        tracked.cut()
      },
    }
  }
  const key = JSON.stringify([url.protocol, target, options, runtime.connectWatchdogMs])
  const entry = shared.get(key) ?? { ...create(), shares: 0, isWatched: false, liveness: new Liveness(runtime) }
  shared.set(key, entry)
  entry.shares++

  let isReleased = false
  return {
    client: () => {
      watch(entry, create, runtime.connectWatchdogMs)
      return entry.client
    },
    state: () => STATES[entry.client.getChannel().getConnectivityState(false)] ?? 'idle',
    heard: () => entry.liveness.heard(),
    prove: async (token, scope) => {
      await untilLoopHasRead()
      const { client, liveness } = entry
      if (client.getChannel().getConnectivityState(false) !== READY || !liveness.isQuiet) return
      const prefix = url.pathname.replace(/\/$/, '')
      const abandon = (): void => {
        if (entry.client === client && entry.shares > 0) replace(entry, create)
      }
      const asked = liveness.ask(client, prefix, token, abandon)
      // Half of the remaining time is kept for the call itself. If that is too short to find out, the call is not sent at all.
      const patienceMs = scope.remainingMs() / 2
      const what = 'Checking the connection to PCS'
      if (patienceMs < SILENT_MS) return scope.wait(asked, what)
      const timer = new Disposers()
      const outOfPatience = new Promise<void>((resolve) => {
        timer.add(runtime.after(patienceMs, () => void untilLoopHasRead().then(resolve)))
      }).then(abandon)
      try {
        await scope.wait(Promise.race([asked, outOfPatience]), what)
      } finally {
        timer.dispose()
      }
    },
    settle: (deadline) => settled(entry.client, deadline),
    release: () => {
      if (isReleased) return
      isReleased = true
      if (--entry.shares > 0) return
      shared.delete(key)
      entry.liveness.stop()
      entry.end()
    },
  }
}

function optionsOf({ keepalive }: MessagingConfig): ChannelOptions {
  return {
    // Off by default in grpc-js, and without it half-open TCP gives no error. Only during calls: servers punish pings without.
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // The defaults, 1 s to 120 s, take 11 s to come back after an outage of 20 s.
    'grpc.initial_reconnect_backoff_ms': 250,
    // Apps are promised to reconnect within 3 s after an outage; grpc-js adds up to a fifth at random.
    'grpc.max_reconnect_backoff_ms': 1_500,
    // A name that moves to another address (a rollout) is looked up again this soon; the default is 30 s.
    'grpc.dns_min_time_between_resolutions_ms': 1_000,
    // The default, 64 KB, caps a stream at 9,300 events a second over a round trip of 40 ms.
    'grpc-node.flow_control_window': MEBIBYTE,
    'grpc.max_receive_message_length': 16 * MEBIBYTE,
    // A channel that replaces a stuck one must not get its stuck connection.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    // The library decides on retries, by what is known about each call; a service config in the server's DNS must not add more.
    'grpc.service_config_disable_resolution': 1,
  }
}

/**
 * Replaces the channel if it has been connecting for too long. grpc-js has no connect timeout: a peer that accepts and stays
 * silent would leave it connecting forever. Calls that waited end as never sent, and are retried.
 */
function watch(entry: Shared, create: () => Pick<Shared, 'client' | 'end'>, afterMs: number): void {
  const channel = entry.client.getChannel()
  const state = channel.getConnectivityState(false)
  if (entry.isWatched || FINAL_STATES.includes(state)) return
  entry.isWatched = true
  channel.watchConnectivityState(state, Date.now() + afterMs, (error) => {
    entry.isWatched = false
    const now = channel.getConnectivityState(false)
    if (entry.shares === 0 || entry.client.getChannel() !== channel) return
    if (error === undefined) return watch(entry, create, afterMs)
    if (now !== CONNECTING) return
    replace(entry, create)
  })
}

/** Calls in flight on the old connection continue. */
function replace(entry: Shared, create: () => Pick<Shared, 'client' | 'end'>): void {
  const endOld = entry.end
  Object.assign(entry, create())
  entry.liveness.heard()
  endOld()
}

function settled(client: Client, deadline: Date): Promise<void> {
  const channel = client.getChannel()
  return new Promise((resolve) => {
    const look = (): void => {
      const state = channel.getConnectivityState(true)
      if (FINAL_STATES.includes(state)) return resolve()
      channel.watchConnectivityState(state, deadline, (error) => (error === undefined ? look() : resolve()))
    }
    look()
  })
}
