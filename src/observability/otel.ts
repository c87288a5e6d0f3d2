/*
 * `express-ppoppo/otel`: spans and metrics by OpenTelemetry, from the tracing channels. Owns: their names. Never does: load
 * `@opentelemetry/api` before `startTelemetry()`, or touch a request.
 */
import type { Counter, Histogram, MeterProvider, Span, TracerProvider } from '@opentelemetry/api'
import { type ChannelName, channels, type TraceContext } from '../channels.js'
import { loadOpenTelemetry } from '../load-packages.js'
import { type CounterName, type HistogramName, METRICS } from './metrics.js'

export { type CounterName, type HistogramName, METRICS, type Metric } from './metrics.js'

/** Options of {@link startTelemetry}. */
export interface TelemetryOptions {
  /** @default the global one of `@opentelemetry/api` */
  readonly meterProvider?: MeterProvider
  /** @default the global one of `@opentelemetry/api` */
  readonly tracerProvider?: TracerProvider
}

/** What {@link startTelemetry} started. */
export interface Telemetry {
  /** Unsubscribes. Idempotent. */
  stop(): void
}

const NAME = 'express-ppoppo'
/** Channels whose work is a span. Guards and audit events take no time; the Redis client's instrumentation traces the store. */
const SPANS: readonly ChannelName[] = ['sign-in', 'refresh', 'send', 'rpc', 'event']
/** gRPC's names, by code: what `rpc.response.status_code` holds. */
const GRPC_STATUS = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
]

/**
 * Starts spans and metrics for all instances in this process. Call it once, after your OpenTelemetry SDK has started.
 *
 * @throws `config_invalid` if `@opentelemetry/api` is not installed
 * @example
 * import { startTelemetry } from 'express-ppoppo/otel'
 * startTelemetry()
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  const { metrics, trace, context: contexts, SpanKind, SpanStatusCode } = loadOpenTelemetry()
  const meter = (options.meterProvider ?? metrics).getMeter(NAME)
  const tracer = (options.tracerProvider ?? trace).getTracer(NAME)
  const count = (name: CounterName): Counter => meter.createCounter(name, METRICS[name])
  const measure = (name: HistogramName): Histogram => meter.createHistogram(name, METRICS[name])
  const signIns = count('ppoppo.sign_ins')
  const signOuts = count('ppoppo.sign_outs')
  const challenges = count('ppoppo.challenges')
  const refreshes = count('ppoppo.refreshes')
  const lag = measure('ppoppo.consumer.lag')
  const rpcDuration = measure('rpc.client.call.duration')

  const open = new WeakMap<object, { readonly startedAt: number; readonly span?: Span }>()
  const subscriptions: (() => void)[] = []

  function begin(name: ChannelName, seen: TraceContext): void {
    const startedAt = performance.now()
    if (!SPANS.includes(name)) return void open.set(seen, { startedAt })
    const isRpc = name === 'rpc'
    const spanName = isRpc ? String(seen.operation) : `ppoppo ${name}`
    const span = tracer.startSpan(
      spanName,
      {
        kind: isRpc ? SpanKind.CLIENT : SpanKind.INTERNAL,
        attributes: isRpc ? rpcAttributes(seen) : { 'ppoppo.correlation_id': seen.correlationId },
      },
      contexts.active(),
    )
    open.set(seen, { startedAt, span })
  }

  function end(name: ChannelName, seen: TraceContext): void {
    const { startedAt = performance.now(), span } = open.get(seen) ?? {}
    const outcome = { outcome: seen.outcome ?? 'unknown' }
    if (span) {
      if (seen.code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', seen.code)
      if (name === 'rpc') span.updateName(String(seen.operation))
      span.setAttributes(name === 'rpc' ? rpcAttributes(seen) : { 'ppoppo.outcome': outcome.outcome })
      span.end()
    }
    switch (name) {
      case 'sign-in':
        return signIns.add(1, outcome)
      case 'refresh':
        return refreshes.add(1, outcome)
      case 'guard':
        return seen.outcome === 'passed' ? undefined : challenges.add(1, { reason: outcome.outcome })
      case 'audit':
        return seen.operation === 'sign_out' ? signOuts.add(1, { reason: outcome.outcome }) : undefined
      case 'event':
        return seen.lagMs === undefined ? undefined : lag.record(Math.max(0, seen.lagMs) / 1_000, outcome)
      case 'rpc':
        return rpcDuration.record((performance.now() - startedAt) / 1_000, rpcAttributes(seen))
    }
  }

  for (const name of WATCHED) {
    const handlers = {
      start: (seen: TraceContext) => begin(name, seen),
      end: (seen: TraceContext) => (POINTS.includes(name) ? end(name, seen) : undefined),
      asyncEnd: (seen: TraceContext) => end(name, seen),
    }
    const channel = channels[name]
    channel.start.subscribe(handlers.start as never)
    channel.end.subscribe(handlers.end as never)
    channel.asyncEnd.subscribe(handlers.asyncEnd as never)
    subscriptions.push(() => {
      channel.start.unsubscribe(handlers.start as never)
      channel.end.unsubscribe(handlers.end as never)
      channel.asyncEnd.unsubscribe(handlers.asyncEnd as never)
    })
  }
  return { stop: () => subscriptions.splice(0).forEach((unsubscribe) => void unsubscribe()) }
}

/** Channels whose work begins and ends at once. */
const POINTS: readonly ChannelName[] = ['guard', 'audit']
const WATCHED: readonly ChannelName[] = ['sign-in', 'refresh', 'guard', 'send', 'rpc', 'event', 'audit']

/** By the semantic conventions for gRPC. */
function rpcAttributes({ operation = '', grpcCode, outcome, code }: TraceContext): Record<string, string> {
  const status = outcome === undefined ? undefined : GRPC_STATUS[grpcCode ?? (code === undefined ? 0 : 2)]
  return {
    'rpc.system.name': 'grpc',
    'rpc.method': operation,
    ...(status !== undefined && { 'rpc.response.status_code': status }),
    ...(code !== undefined && { 'error.type': code }),
  }
}
