import { randomBytes } from 'node:crypto'
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { isPpoppoError } from './errors.js'

/** What is traced; the channels of Node's `diagnostics_channel` are named `express-ppoppo:<name>`. */
export const CHANNEL_NAMES = ['sign-in', 'refresh', 'guard', 'store', 'send', 'rpc', 'event', 'audit'] as const

/** One of {@link CHANNEL_NAMES}. */
export type ChannelName = (typeof CHANNEL_NAMES)[number]

/**
 * What subscribers receive. Never a token, a ppnum, a value, or an error with more than its code. `outcome` and `code` are set
 * when it ends.
 */
export interface TraceContext {
  /** Links what belongs together; where there is an audit event or a page, the same id. */
  correlationId: string
  /** What became of it, in a word; see `docs/observability.md`. */
  outcome?: string
  /** Code of the `PpoppoError`, if it failed; `unknown` for any other error. */
  code?: string
  /** Which one: a method of the store, an rpc, a kind of event. */
  operation?: string
  /** Of a delivery event: how long ago it happened, in milliseconds. */
  lagMs?: number
  /** Of an rpc: the gRPC status code, 0 to 16. */
  grpcCode?: number
}

/** The tracing channels. */
export const channels: Readonly<Record<ChannelName, TracingChannel<unknown, TraceContext>>> = Object.freeze(
  Object.fromEntries(CHANNEL_NAMES.map((name) => [name, tracingChannel(`express-ppoppo:${name}`)])) as Record<
    ChannelName,
    TracingChannel<unknown, TraceContext>
  >,
)

/** Whether anybody listens. Without, nothing else may be done. */
export function isTraced(name: ChannelName): boolean {
  return channels[name].hasSubscribers
}

/** What {@link traced} needs. */
export interface Traced<T> {
  readonly name: ChannelName
  readonly context?: Partial<TraceContext>
  /** @default 'ok' */
  readonly outcomeOf?: (value: T, context: TraceContext) => string
}

/**
 * Does work that subscribers of a channel see begin and end. Neither its result nor its error is published: both may hold what
 * a subscriber must not see.
 */
export async function traced<T>(
  { name, context, outcomeOf }: Traced<T>,
  work: (context: TraceContext) => Promise<T>,
): Promise<T> {
  const seen: TraceContext = { correlationId: newTraceId(), ...context }
  let end: (() => T) | undefined
  await channels[name].tracePromise(async () => {
    try {
      const value = await work(seen)
      seen.outcome ??= outcomeOf?.(value, seen) ?? 'ok'
      end = () => value
    } catch (error) {
      seen.outcome ??= 'failed'
      seen.code = codeOf(error)
      if (isPpoppoError(error) && error.grpcCode !== undefined) seen.grpcCode = error.grpcCode
      end = () => {
        throw error
      }
    }
  }, seen)
  return (end as unknown as () => T)()
}

/** Something that takes no time: begins and ends at once. */
export function tracePoint(
  name: ChannelName,
  context: Omit<TraceContext, 'correlationId'> & { correlationId?: string },
): void {
  const seen: TraceContext = { correlationId: newTraceId(), ...context }
  channels[name].traceSync(() => undefined, seen)
}

/** What may be said about an error. */
export function codeOf(error: unknown): string {
  return isPpoppoError(error) ? error.code : 'unknown'
}

function newTraceId(): string {
  return randomBytes(8).toString('hex')
}
