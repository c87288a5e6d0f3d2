import { describe, expect, test } from '@jest/globals'
import { resolveConfig } from '../../src/config/config.js'
import { resolveMessagingConfig } from '../../src/config/messaging.js'
import type { MessagingOptions } from '../../src/config/messaging-options.js'
import { isPpoppoError } from '../../src/errors.js'

const CREDENTIALS = { clientId: 'acme_external_client', clientSecret: 's3cr3t-s3cr3t' } as const

function faultsOf(options: unknown, env: Record<string, string> = {}): string[] {
  try {
    resolveMessagingConfig(options as MessagingOptions, env)
    return []
  } catch (error) {
    if (!isPpoppoError(error, 'config_invalid')) throw error
    return error.message.split('\n- ').slice(1)
  }
}

describe('resolveMessagingConfig', () => {
  test('fills in every default', () => {
    expect({ ...resolveMessagingConfig({}, {}) }).toEqual({
      apiUrl: 'https://api.ppoppo.com/ext',
      tokenUrl: 'https://accounts.ppoppo.com/oauth/token',
      missing: ['"clientId" (PAS_PCS_CLIENT_ID)', '"clientSecret" (PAS_PCS_CLIENT_SECRET)'],
      keepalive: { timeMs: 60_000, timeoutMs: 20_000 },
      deadlineMs: 20_000,
      maxAttempts: 4,
      keyPrefix: 'ppoppo:',
    })
  })

  test('takes Redis from the option, then from REDIS_URL, and rejects anything else', () => {
    expect(resolveMessagingConfig({}, { REDIS_URL: 'redis://one:6379' }).redis).toBe('redis://one:6379')
    const given = { redis: 'redis://two:6379', keyPrefix: 'acme:' }
    expect(resolveMessagingConfig(given, { REDIS_URL: 'redis://one:6379' })).toMatchObject(given)
    expect(() => resolveMessagingConfig({ redis: 'http://two', keyPrefix: '{}' }, {})).toThrow(
      /"redis" \(REDIS_URL\) must be a redis:[\s\S]*"keyPrefix" must be/,
    )
  })

  test.each([
    ['production', 'https://api.ppoppo.com/ext', 'https://accounts.ppoppo.com/oauth/token'],
    ['sandbox', 'https://api.sandbox.ppoppo.com/ext', 'https://accounts.sandbox.ppoppo.com/oauth/token'],
    ['local', 'http://localhost:3203', 'http://localhost:3100/oauth/token'],
  ])('knows the URLs of %s', (PPOPPO_ENVIRONMENT, apiUrl, tokenUrl) => {
    expect(resolveMessagingConfig({}, { PPOPPO_ENVIRONMENT })).toMatchObject({ apiUrl, tokenUrl })
  })

  test('reads the environment, and an option wins over its variable', () => {
    const env = {
      PCS_API_URL: ' https://pcs.example:8443/a/b/ ',
      PAS_TOKEN_URL: 'http://127.0.0.1:9/token',
      PAS_PCS_CLIENT_ID: 'from_env',
      PAS_PCS_CLIENT_SECRET: 'secret_of_env',
    }
    const config = resolveMessagingConfig({ clientId: 'from_code' }, env)
    expect(config).toMatchObject({ apiUrl: 'https://pcs.example:8443/a/b', tokenUrl: env.PAS_TOKEN_URL, missing: [] })
    expect([config.credentials?.clientId, config.credentials?.clientSecret]).toEqual(['from_code', 'secret_of_env'])
    expect(Object.isFrozen(config)).toBe(true)
    expect(resolveMessagingConfig({}, { PCS_API_URL: '' }).apiUrl).toBe('https://api.ppoppo.com/ext')
  })

  test('reports all faults at once, by name and never with a value', () => {
    const options = {
      apiUrl: 'http://api.example/ext',
      tokenUrl: 'https://pas.example',
      clientId: 'a\tb',
      clientSecret: '',
      keepalive: { timeMs: 0, timeout: 1 },
      deadlineMs: 1.5,
      maxAttempts: -1,
      clientSecrets: 'x',
      descriptor: 5,
      fetch: 'https://proxy.example',
      grpcChannelOptions: {
        'grpc.enable_http_proxi': 0,
        'grpc.enable_retries': 1,
        'grpc.primary_user_agent': 5,
        Secret1: 1,
      },
    }
    const faults = faultsOf(options, { PPOPPO_ENVIRONMENT: 'produktion' })
    expect(faults).toEqual([
      expect.stringMatching(/^"clientSecrets" is not an option; did you mean "clientSecret"\?/),
      expect.stringMatching(/^"environment" \(PPOPPO_ENVIRONMENT\) must be one of .*; did you mean production\?/),
      expect.stringMatching(/^"clientId" \(PAS_PCS_CLIENT_ID\)/),
      expect.stringMatching(/^"clientSecret" \(PAS_PCS_CLIENT_SECRET\)/),
      expect.stringMatching(/^"descriptor"/),
      expect.stringMatching(
        /^"apiUrl" \(PCS_API_URL\) must be https: over http, anyone on the network can read the access token/,
      ),
      expect.stringMatching(/^"tokenUrl" \(PAS_TOKEN_URL\) must be the full token endpoint/),
      expect.stringMatching(/^"keepalive.timeout" is not an option; did you mean/),
      expect.stringMatching(/^"keepalive.timeMs"/),
      expect.stringMatching(/^"deadlineMs"/),
      expect.stringMatching(/^"maxAttempts"/),
      expect.stringMatching(/^"fetch" must be a function/),
      expect.stringMatching(
        /^"grpcChannelOptions\["grpc.enable_http_proxi"\]" is not a channel option; did you mean "grpc.enable_http_proxy"\?/,
      ),
      expect.stringMatching(
        /^"grpcChannelOptions\["grpc.enable_retries"\]" cannot be set: .* no message is sent twice/,
      ),
      expect.stringMatching(/^"grpcChannelOptions\["grpc.primary_user_agent"\]" must be a non-empty string/),
      expect.stringMatching(/^"grpcChannelOptions\["\(odd name\)"\]" is not a channel option; known are: /),
    ])
    expect(faults.join()).not.toMatch(/example\/ext|produktion|pas\.example|proxy\.example|Secret1/)
  })

  test.each([
    ['an id in code', { clientId: 'acme' }, {}, '"clientSecret" (PAS_PCS_CLIENT_SECRET) is missing'],
    ['a secret in code', { clientSecret: 's3cr3t-s3cr3t' }, {}, '"clientId" (PAS_PCS_CLIENT_ID) is missing'],
    [
      'an id in the environment',
      {},
      { PAS_PCS_CLIENT_ID: 'acme' },
      '"clientSecret" (PAS_PCS_CLIENT_SECRET) is missing',
    ],
    ['an id and an empty secret', {}, { PAS_PCS_CLIENT_ID: 'a', PAS_PCS_CLIENT_SECRET: ' ' }, '"clientSecret"'],
  ])('%s alone is a startup error', (_, options, env, fault) => {
    expect(faultsOf(options, env)).toEqual([expect.stringContaining(fault)])
  })

  test('an id in code and a secret in the environment are complete credentials', () => {
    expect(faultsOf({ clientId: 'acme' }, { PAS_PCS_CLIENT_SECRET: 's3cr3t-s3cr3t' })).toEqual([])
  })

  test('ppoppo() reports incomplete credentials together with all other faults', () => {
    const messaging = { clientSecret: 's3cr3t-s3cr3t' }
    const options = { clientId: 'a_login_client', baseUrl: 'http://localhost:1', messaging }
    expect(() => resolveConfig(options, {})).toThrow('messaging: "clientId" (PAS_PCS_CLIENT_ID) is missing')
    expect(() => resolveConfig(options, {})).not.toThrow('s3cr3t-s3cr3t')
  })

  describe.each([
    ['id', 'clientId', 'PAS_PCS_CLIENT_ID'],
    ['secret', 'clientSecret', 'PAS_PCS_CLIENT_SECRET'],
  ] as const)('the %s', (_, name, variable) => {
    const given = (value: string) => ({ clientId: 'acme', clientSecret: 's3cr3t-s3cr3t', [name]: value })

    test.each(['a b', 'two  spaces', 'quote" and \\ and ~', '!'])('%j is accepted unchanged', (value) => {
      const config = resolveMessagingConfig(given(value), {})
      expect(config.credentials?.[name]).toBe(value)
      expect(JSON.stringify(config)).not.toContain(config.credentials?.clientSecret)
    })

    test.each([
      ...[' ab', 'ab ', ' ', '', 'a\nb', 'a\tb', 'a\u00a0b', 'a\u0000b', 'x'.repeat(1_001)],
      ...['ab\u200b', '\ufeffab', '비밀'],
    ])('%j is rejected and not quoted', (value) => {
      const faults = faultsOf(given(value))
      expect(faults).toEqual([expect.stringMatching(new RegExp(`^"${name}" \\(${variable}\\) `))])
      if (value.trim() !== '') expect(faults.join()).not.toContain(value)
    })
  })

  test.each([
    'ftp://a.example',
    'https://a.example/x?y=1',
    'https://u:p@a.example',
    'https://a.example/%20',
    'a.example',
  ])('rejects %s as apiUrl', (apiUrl) => {
    expect(faultsOf({ ...CREDENTIALS, apiUrl })).toHaveLength(1)
  })
})
