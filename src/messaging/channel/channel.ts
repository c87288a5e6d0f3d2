import type { ChannelOptions, Client } from '@grpc/grpc-js'
import type { MessagingConfig } from '../../config/messaging-options.js'
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
/** Silence that is shorter says nothing of a connection. */
const SILENT_MS = 1_000
const FINAL_STATES: readonly number[] = [2, 3, 4]

/** A share in the one channel of this process to an endpoint. */
export interface Channel {
  /** The gRPC client to call through now: another one after the watchdog has replaced it. */
  client(): Client
  /** Connectivity, without connecting. */
  state(): (typeof STATES)[number]
  /** Something came over the connection. */
  heard(): void
  /**
   * Before what must not be asked twice: resolves once what has reached this process is read, and a connection that was
   * quiet for long has answered something harmless, or was replaced. Rejects when the scope ends first.
   */
  prove(token: string, scope: CallScope): Promise<void>
  /** Begins to connect, and resolves when that came to something, or at `deadline`. */
  settle(deadline: Date): Promise<void>
  /** Gives the share back; with the last one the channel is closed. Idempotent. */
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

/** By endpoint and options: a channel per request leaks, and one per client opens more connections than are needed. */
const shared = new Map<string, Shared>()

/** Takes a share in the channel to the API's host; makes it where there is none. Connects with the first call. */
export function openChannel(config: MessagingConfig, runtime: MessagingRuntime): Channel {
  const url = new URL(config.apiUrl)
  const isTls = url.protocol === 'https:'
  // Plaintext is for this machine only; grpc-js would take it, token and all, to the proxy that http_proxy names.
  const options = {
    ...optionsOf(config),
    ...config.grpcChannelOptions,
    ...(isTls ? {} : { 'grpc.enable_http_proxy': 0 }),
  }
  // A path or a scheme in the target would fail at name resolution.
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
      const leave = (): void => {
        if (entry.client === client && entry.shares > 0) replace(entry, create)
      }
      const asked = liveness.ask(client, prefix, token, leave)
      // Half of what is left of the call is for the call itself. Where that is too short to know, it is not sent at all.
      const patienceMs = scope.remainingMs() / 2
      const what = 'Looking whether PCS is there'
      if (patienceMs < SILENT_MS) return scope.wait(asked, what)
      let cancel = (): void => {}
      const tired = new Promise<void>((resolve) => {
        cancel = runtime.after(patienceMs, () => void untilLoopHasRead().then(resolve))
      }).then(leave)
      try {
        await scope.wait(Promise.race([asked, tired]), what)
      } finally {
        cancel()
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
    // Off in grpc-js, and without it half-open TCP gives no error. Not without calls: servers punish that.
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // The defaults, 1 s to 120 s, take 11 s to come back after an outage of 20 s.
    'grpc.initial_reconnect_backoff_ms': 250,
    // Apps are promised to be back within 3 s of an outage; grpc-js adds up to a fifth at random.
    'grpc.max_reconnect_backoff_ms': 1_500,
    // A name that moves to another address (a rollout) is looked up again as soon; the default is 30 s.
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
 * Replaces the channel when it has been connecting for too long. grpc-js has no connect timeout: a peer that accepts
 * and stays silent would leave it connecting for ever. Calls that waited end as never sent, and are repeated.
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

/** Calls that are under way on the old connection go on. */
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
