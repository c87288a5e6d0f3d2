import { tracingChannel } from 'node:diagnostics_channel'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { CHANNEL_NAMES, type ChannelName, type TraceContext } from '../../src/channels.js'
import { METRICS, startTelemetry, type Telemetry } from '../../src/observability/otel.js'
import { createClock, HOUR } from '../support/clock.js'
import { startWorld, type World } from '../support/world.js'

const clock = createClock()
let world: World
beforeAll(async () => {
  world = await startWorld({ runtime: clock.runtime, options: { rateLimit: false } })
})
afterAll(() => world.close())

/** A person signs in, lets the token expire, asks PAS, and signs out; somebody else is turned away. */
async function live(): Promise<string> {
  const browser = await world.signedIn()
  const me = JSON.parse((await browser.visit(`${world.url}/me`)).text)
  clock.advance(2 * HOUR)
  await browser.visit(`${world.url}/userinfo`)
  await world.browser().visit(`${world.url}/me`, { headers: { Accept: 'application/json' } })
  await browser.visit(`${world.url}/auth/callback?code=x`)
  await browser.visit(`${world.url}/auth/logout`, { method: 'POST', headers: { 'Sec-Fetch-Site': 'same-origin' } })
  return me.user.ppnum
}

describe('tracing channels', () => {
  const seen: { name: ChannelName; context: TraceContext }[] = []
  const subscribers = CHANNEL_NAMES.map((name) => {
    const note = (context: unknown) => void seen.push({ name, context: { ...(context as TraceContext) } })
    return { channel: tracingChannel(`express-ppoppo:${name}`), handlers: { asyncEnd: note, end: note } }
  })
  const of = (wanted: ChannelName) =>
    seen.filter(({ name, context }) => name === wanted && context.outcome !== undefined).map(({ context }) => context)

  test('report the outcome of sign-ins, refreshes, guards and store calls, without a token or a ppnum', async () => {
    for (const { channel, handlers } of subscribers) channel.subscribe(handlers as never)
    const ppnum = await live()
    for (const { channel, handlers } of subscribers) channel.unsubscribe(handlers as never)
    expect(of('sign-in').map(({ outcome }) => outcome)).toEqual(['signed_in', 'malformed'])
    expect(of('refresh').map(({ outcome }) => outcome)).toEqual(['refreshed'])
    expect(of('guard').map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed', 'signed_out'])
    expect(new Set(of('store').map(({ operation }) => operation))).toContain('takeTransaction')
    expect(of('audit').map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      'sign_in ok',
      'token_refreshed ok',
      'sign_in_refused malformed',
      'sign_out sign_out',
    ])
    // The id on the page is the one in the event and on the channel.
    const refused = world.events.findLast(({ type }) => type === 'sign_in_refused')
    expect(of('sign-in').at(-1)?.correlationId).toBe(refused?.correlationId)
    const all = JSON.stringify(seen)
    expect(all).not.toContain(ppnum)
    expect(world.sandbox.control.issuedTokens.length).toBeGreaterThan(0)
    for (const { value } of world.sandbox.control.issuedTokens) expect(all).not.toContain(value)
    // Node adds a `result`, which is always undefined.
    const names = new Set(seen.flatMap(({ context }) => Object.keys(JSON.parse(JSON.stringify(context)))))
    expect([...names].sort()).toEqual(
      ['code', 'correlationId', 'operation', 'outcome'].filter((name) => names.has(name)),
    )
  })

  test('nothing is published after the last subscriber has gone', async () => {
    const before = seen.length
    await world.signedIn()
    expect(seen).toHaveLength(before)
  })
})

describe('express-ppoppo/otel', () => {
  const spans = new InMemorySpanExporter()
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  let telemetry: Telemetry
  beforeAll(() => {
    telemetry = startTelemetry({ meterProvider, tracerProvider })
  })
  afterAll(() => meterProvider.shutdown())

  test('counts what happens, by outcome, and makes spans of what takes time', async () => {
    await live()
    const { pcs } = world.sandbox
    expect(pcs).toBeUndefined()
    telemetry.stop()
    telemetry.stop()
    await world.signedIn()
    await reader.forceFlush()
    const found = metrics
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
    const counted = Object.fromEntries(
      found.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [Object.values(attributes)[0], value]),
      ]),
    )
    expect(counted).toEqual({
      'ppoppo.sign_ins': [
        ['signed_in', 1],
        ['malformed', 1],
      ],
      'ppoppo.sign_outs': [['sign_out', 1]],
      'ppoppo.challenges': [['signed_out', 1]],
      'ppoppo.refreshes': [['refreshed', 1]],
    })
    for (const { descriptor } of found) expect(Object.keys(METRICS)).toContain(descriptor.name)
    expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual([
      'ppoppo sign-in',
      'ppoppo refresh',
      'ppoppo sign-in',
    ])
  })
})
