import { fileURLToPath } from 'node:url'
import { loadSync } from '@grpc/proto-loader'

export const PROTO = fileURLToPath(new URL('../../proto/ppoppo/external/v1/external.proto', import.meta.url))
/** Of proto-loader, as grpc-js's README has them. */
export const LOADER_OPTIONS = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true }
/** How many events a stream has. */
export const EVENTS = 100_000

/** The bytes that the messaging service of the benchmarks answers with, each with gRPC's prefix. */
export const messages = createMessages()

function createMessages() {
  const definition = loadSync(PROTO, LOADER_OPTIONS)
  const methods = { ...definition['chat.external.ExternalMessageService'] }
  const { GetAppStats } = definition['chat.external.ExternalAppService']
  const id = (index) => `01HQ${String(index).padStart(22, '0')}`
  return {
    appStats: () =>
      toFrame(
        GetAppStats.responseSerialize({
          id: 'app_bench',
          name: 'Benchmark',
          tier: 'standard',
          is_active: true,
          rate_limit_per_min: 600,
          current_month_usage: 12_345,
          allowed_ips: ['192.0.2.1'],
        }),
      ),
    receipt: () =>
      toFrame(methods.CreateSendRequest.responseSerialize({ id: id(1), status: 'QUEUED', total_recipients: 1 })),
    event: (index) =>
      toFrame(
        methods.StreamSendRequestEvents.responseSerialize({
          event_id: id(index),
          send_request_id: id(1),
          event_type: 'RECIPIENT_DELIVERED',
          recipient: { ppnum: String(12_300_000_000 + index), message_id: id(index) },
          occurred_at: '2026-07-01T12:00:00.000Z',
        }),
      ),
  }
}

function toFrame(bytes) {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}
