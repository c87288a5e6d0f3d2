import { isPlainObject, isWholeNumber } from '../lib/guards.js'
import { nearest } from '../lib/nearest.js'
import type { Faults } from './environment.js'

const OPTION = 'grpcChannelOptions'

type Kind = 'text' | 'number'

/** Options of grpc-js's channel that may be set, and what each takes. grpc-js itself ignores what it does not know. */
export const CHANNEL_OPTIONS: Readonly<Record<string, Kind>> = {
  'grpc.ssl_target_name_override': 'text',
  'grpc.default_authority': 'text',
  'grpc.primary_user_agent': 'text',
  'grpc.secondary_user_agent': 'text',
  'grpc.keepalive_permit_without_calls': 'number',
  'grpc.max_concurrent_streams': 'number',
  'grpc.initial_reconnect_backoff_ms': 'number',
  'grpc.max_reconnect_backoff_ms': 'number',
  'grpc.max_send_message_length': 'number',
  'grpc.max_receive_message_length': 'number',
  'grpc.enable_http_proxy': 'number',
  'grpc.enable_channelz': 'number',
  'grpc.dns_min_time_between_resolutions_ms': 'number',
  'grpc.client_idle_timeout_ms': 'number',
  'grpc-node.max_session_memory': 'number',
  'grpc-node.flow_control_window': 'number',
  'grpc-node.tls_enable_trace': 'number',
}

const SENT_AGAIN = 'cannot be set: the library decides what is sent again, so that no message goes out twice'

/** Those that are ours to set, and why. */
export const RESERVED_CHANNEL_OPTIONS: Readonly<Record<string, string>> = {
  'grpc.keepalive_time_ms': 'is the option "keepalive.timeMs"',
  'grpc.keepalive_timeout_ms': 'is the option "keepalive.timeoutMs"',
  'grpc.service_config': SENT_AGAIN,
  'grpc.service_config_disable_resolution': SENT_AGAIN,
  'grpc.enable_retries': SENT_AGAIN,
  'grpc.per_rpc_retry_buffer_size': SENT_AGAIN,
  'grpc.retry_buffer_size': SENT_AGAIN,
  'grpc-node.retry_max_attempts_limit': SENT_AGAIN,
  'grpc.use_local_subchannel_pool': 'cannot be set: a channel that replaces a stuck one must not get its connection',
}

/** A copy of the channel's options, every name known and every value of its kind. */
export function parseChannelOptions(
  value: unknown,
  faults: Faults,
): { readonly grpcChannelOptions?: Readonly<Record<string, string | number>> } {
  if (value === undefined) return {}
  if (!isPlainObject(value)) {
    faults.add(OPTION, `must be an object, such as { 'grpc.enable_http_proxy': 0 }`)
    return {}
  }
  const options: Record<string, string | number> = {}
  for (const [name, given] of Object.entries(value)) {
    const option = parseChannelOption(name, given, faults)
    if (option !== undefined) options[name] = option
  }
  return { grpcChannelOptions: options }
}

function parseChannelOption(name: string, value: unknown, faults: Faults): string | number | undefined {
  const path = `${OPTION}["${nameToShow(name)}"]`
  const why = Object.hasOwn(RESERVED_CHANNEL_OPTIONS, name) ? RESERVED_CHANNEL_OPTIONS[name] : undefined
  if (why !== undefined) return faults.add(path, why)
  const kind = Object.hasOwn(CHANNEL_OPTIONS, name) ? CHANNEL_OPTIONS[name] : undefined
  if (kind === undefined) {
    const meant = nearest(name, Object.keys(CHANNEL_OPTIONS))
    const known = `known are: ${Object.keys(CHANNEL_OPTIONS).join(', ')}`
    return faults.add(path, `is no option of a channel; ${meant === undefined ? known : `did you mean "${meant}"?`}`)
  }
  if (kind === 'text') return typeof value === 'string' && value !== '' ? value : faults.add(path, 'must be a text')
  return isWholeNumber(value, Number.MIN_SAFE_INTEGER) ? value : faults.add(path, 'must be a whole number')
}

/** Only what looks like a name is repeated: someone may have pasted a secret where a name belongs. */
function nameToShow(name: string): string {
  return /^[a-z][a-z_.-]{0,60}$/.test(name) ? name : '(odd name)'
}
