import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { SpanKind } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { createMessaging, type Messaging } from '../../src/messaging/index.js'
import { startTelemetry } from '../../src/observability/otel.js'
import { until } from '../support/until.js'

let sandbox: Sandbox
let messaging: Messaging
beforeAll(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  const { prefixUrl: apiUrl = '', tokenUrl = '', clientId = '', clientSecret = '' } = sandbox.pcs ?? {}
  messaging = createMessaging({ apiUrl, tokenUrl, clientId, clientSecret })
})
afterAll(async () => {
  await messaging.close()
  await sandbox.close()
})

test('calls to PCS are spans and durations by the semantic conventions; handled events show their lag', async () => {
  const spans = new InMemorySpanExporter()
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const telemetry = startTelemetry({ meterProvider, tracerProvider })
  const { id } = await messaging.templates.create({ name: 'seen', components: [{ type: 'text', content: 'Hi' }] })
  let handled = 0
  const consumer = messaging.consume({ name: 'seen', handler: () => void handled++ })
  await messaging.send({ templateId: id, recipients: [{ ppnum: '12300000001' }] })
  await expect(messaging.status('nope')).rejects.toMatchObject({ code: 'not_found' })
  await until(() => handled > 0)
  await consumer.stop()
  telemetry.stop()

  await reader.forceFlush()
  const found = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  const points = (name: string) => found.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? []
  expect(found.find(({ descriptor }) => descriptor.name === 'rpc.client.call.duration')?.descriptor.unit).toBe('s')
  expect(points('rpc.client.call.duration').map(({ attributes }) => attributes)).toEqual([
    {
      'rpc.system.name': 'grpc',
      'rpc.method': 'chat.external.ExternalTemplateService/CreateTemplate',
      'rpc.response.status_code': 'OK',
    },
    {
      'rpc.system.name': 'grpc',
      'rpc.method': 'chat.external.ExternalMessageService/CreateSendRequest',
      'rpc.response.status_code': 'OK',
    },
    {
      'rpc.system.name': 'grpc',
      'rpc.method': 'chat.external.ExternalMessageService/GetSendRequestStatus',
      'rpc.response.status_code': 'NOT_FOUND',
      'error.type': 'not_found',
    },
  ])
  expect(points('ppoppo.consumer.lag')[0]?.attributes).toEqual({ outcome: 'handled' })
  const rpc = spans.getFinishedSpans().filter(({ kind }) => kind === SpanKind.CLIENT)
  expect(rpc.map(({ name }) => name)).toContain('chat.external.ExternalMessageService/CreateSendRequest')
  expect(rpc.find(({ name }) => name.endsWith('GetSendRequestStatus'))?.status.code).toBe(2)
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(
    expect.arrayContaining(['ppoppo send', 'ppoppo event']),
  )
  expect(JSON.stringify(spans.getFinishedSpans().map(({ attributes }) => attributes))).not.toContain('12300000001')
})
