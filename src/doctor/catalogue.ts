/** What a finding means: nothing to do, something to change, or something that does not work. */
export type FindingLevel = 'ok' | 'warn' | 'error'

/** A group of findings, as the command prints them. */
export type FindingArea = 'Configuration' | 'Packages' | 'Redis' | 'Accounts (PAS)' | 'Messaging (PCS)'

/**
 * Every code that a finding can have. `test/doctor/catalogue.test.ts` compares it with `docs/doctor.md` and the pages in
 * `docs/doctor/`.
 */
export const FINDING_CODES = {
  Configuration: {
    ok: ['config', 'variables', 'base_url', 'cookie', 'app_session', 'proxy', 'memory_store'],
    warn: [
      'variable_unknown',
      'variable_quoted',
      'base_url_local',
      'node_env_missing',
      'environment_mixed',
      'session_secret_weak',
      'vault_keys_weak',
      'memory_store_shared',
    ],
    error: [
      'client_id_missing',
      'client_id_invalid',
      'clients_same',
      'base_url_missing',
      'base_url_invalid',
      'base_url_http',
      'base_url_path',
      'environment_unknown',
      'issuer_invalid',
      'scope_invalid',
      'cookie_name_invalid',
      'redis_missing',
      'redis_url_invalid',
      'session_secret_missing',
      'session_secret_invalid',
      'vault_keys_missing',
      'vault_keys_invalid',
      'rate_limit_invalid',
      'messaging_client_incomplete',
      'messaging_client_invalid',
      'messaging_api_url_invalid',
      'messaging_token_url_invalid',
      'option_invalid',
      'doctor_failed',
    ],
  },
  Packages: {
    ok: ['node', 'packages', 'packages_not_found'],
    warn: ['node_end_of_life', 'package_fault', 'two_copies'],
    error: ['node_too_old', 'package_missing', 'package_unsupported'],
  },
  Redis: {
    ok: [
      'redis',
      'redis_version',
      'redis_eviction',
      'redis_persistence',
      'redis_persistence_hidden',
      'redis_latency',
      'redis_rights',
      'redis_clock',
    ],
    warn: [
      'redis_info_hidden',
      'redis_evicts',
      'redis_not_persistent',
      'redis_snapshots_only',
      'redis_slow',
      'redis_clock_off',
      'redis_not_checked',
      'redis_rights_not_checked',
    ],
    error: [
      'redis_unreachable',
      'redis_password',
      'redis_tls',
      'redis_cluster',
      'redis_stranger',
      'redis_old',
      'redis_forbidden',
      'redis_refuses',
    ],
  },
  'Accounts (PAS)': {
    ok: ['provider', 'issuer', 'pkce', 'id_token_keys', 'provider_clock', 'callback'],
    warn: [
      'discovery_missing',
      'provider_clock_off',
      'callback_unclear',
      'provider_not_checked',
      'callback_not_checked',
    ],
    error: [
      'provider_unreachable',
      'provider_failing',
      'provider_stranger',
      'issuer_mismatch',
      'pkce_unsupported',
      'id_token_algorithm',
      'id_token_keys_missing',
      'provider_clock_wrong',
      'scope_unknown',
      'client_unknown',
      'clients_swapped',
      'callback_not_registered',
      'authorization_refused',
    ],
  },
  'Messaging (PCS)': {
    ok: [
      'messaging',
      'messaging_unused',
      'messaging_own_client',
      'messaging_token',
      'messaging_definition',
      'messaging_reflection_off',
    ],
    warn: [
      'messaging_limited',
      'messaging_answer_unreadable',
      'messaging_definition_differs',
      'messaging_not_checked',
      'messaging_definition_not_checked',
    ],
    error: [
      'messaging_token_unreachable',
      'messaging_token_url_wrong',
      'messaging_credentials_rejected',
      'messaging_unreachable',
      'messaging_tls',
      'messaging_path_wrong',
      'messaging_other_contract',
      'messaging_forbidden',
      'messaging_not_approved',
    ],
  },
} as const

type Codes = typeof FINDING_CODES

/** Code of a finding. Programs may switch on it. */
export type FindingCode = { [Area in keyof Codes]: Codes[Area][FindingLevel][number] }[keyof Codes]

/** Where a code belongs, and its level. */
export interface FindingKind {
  readonly area: FindingArea
  readonly level: FindingLevel
}

const KINDS: ReadonlyMap<string, FindingKind> = new Map(
  (Object.keys(FINDING_CODES) as FindingArea[]).flatMap((area) =>
    (['ok', 'warn', 'error'] as const).flatMap((level) =>
      FINDING_CODES[area][level].map((code): [string, FindingKind] => [code, { area, level }]),
    ),
  ),
)

/** Area and level of a code. */
export function kindOf(code: FindingCode): FindingKind {
  return KINDS.get(code) ?? { area: 'Configuration', level: 'error' }
}
