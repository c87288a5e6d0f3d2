import { isPlainObject, isWholeNumber } from '../lib/guards.js'
import { nearest } from '../lib/nearest.js'
import type { Faults } from './environment-variables.js'

const OPTION = 'grpcChannelOptions'

type Kind = 'string' | 'number'

/** The channel options of grpc-js that an app may set, and their types. grpc-js itself ignores unknown ones. */
export const CHANNEL_OPTIONS: Readonly<Record<string, Kind>> = {
  'grpc.ssl_target_name_override': 'string',
  'grpc.default_authority': 'string',
  'grpc.primary_user_agent': 'string',
  'grpc.secondary_user_agent': 'string',
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

const RETRIES = 'cannot be set: the library decides what is retried, so that no message is sent twice'

/** Channel options that an app may not set, and why. */
export const RESERVED_CHANNEL_OPTIONS: Readonly<Record<string, string>> = {
  'grpc.keepalive_time_ms': 'is set by the option "keepalive.timeMs"',
  'grpc.keepalive_timeout_ms': 'is set by the option "keepalive.timeoutMs"',
  'grpc.service_config': RETRIES,
  'grpc.service_config_disable_resolution': RETRIES,
  'grpc.enable_retries': RETRIES,
  'grpc.per_rpc_retry_buffer_size': RETRIES,
  'grpc.retry_buffer_size': RETRIES,
  'grpc-node.retry_max_attempts_limit': RETRIES,
  'grpc.use_local_subchannel_pool': 'cannot be set: a channel that replaces a stuck one must not share its connection',
}

/** A copy of the channel options: every name is known, and every value has the right type. */
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
  const path = `${OPTION}["${shownName(name)}"]`
  const why = Object.hasOwn(RESERVED_CHANNEL_OPTIONS, name) ? RESERVED_CHANNEL_OPTIONS[name] : undefined
  if (why !== undefined) return faults.add(path, why)
  const kind = Object.hasOwn(CHANNEL_OPTIONS, name) ? CHANNEL_OPTIONS[name] : undefined
  if (kind === undefined) {
    const meant = nearest(name, Object.keys(CHANNEL_OPTIONS))
    const known = `known are: ${Object.keys(CHANNEL_OPTIONS).join(', ')}`
    return faults.add(path, `is not a channel option; ${meant === undefined ? known : `did you mean "${meant}"?`}`)
  }
  if (kind === 'string')
    return typeof value === 'string' && value !== '' ? value : faults.add(path, 'must be a non-empty string')
  return isWholeNumber(value, Number.MIN_SAFE_INTEGER) ? value : faults.add(path, 'must be a whole number')
}

/** Only what looks like a name is quoted: somebody may have pasted a secret in its place. */
function shownName(name: string): string {
  return /^[a-z][a-z_.-]{0,60}$/.test(name) ? name : '(odd name)'
}
