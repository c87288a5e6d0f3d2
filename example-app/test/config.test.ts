import { describe, expect, test } from '@jest/globals'
import { readConfig } from '../src/config.js'

const SANDBOX_CLIENT = { clientId: 'sandbox_external_client', clientSecret: 'sandbox_external_secret' }

describe('the configuration', () => {
  test('needs no variable on a laptop', () => {
    expect(readConfig({})).toMatchObject({
      port: 3000,
      trustedProxies: 0,
      ppoppo: {
        clientId: 'example_login_client',
        baseUrl: 'http://localhost:3000',
        environment: 'local',
        scope: 'openid profile email',
      },
    })
  })

  test('follows the port where no base URL is set', () => {
    expect(readConfig({ PORT: '4321' }).ppoppo.baseUrl).toBe('http://localhost:4321')
  })

  test('leaves to the library what is set, and everything in production', () => {
    expect(
      readConfig({ PPOPPO_CLIENT_ID: 'mine_login_client', PPOPPO_BASE_URL: 'http://localhost:8080' }).ppoppo,
    ).toEqual({
      environment: 'local',
      scope: 'openid profile email',
      messaging: SANDBOX_CLIENT,
    })
    expect(readConfig({ NODE_ENV: 'production' })).toMatchObject({ ppoppo: {}, messaging: {} })
  })

  test('sends messages to the sandbox, wherever on this machine it is', () => {
    expect(readConfig({}).messaging).toEqual({ environment: 'local', ...SANDBOX_CLIENT })
    expect(readConfig({ PPOPPO_AUTH_URL: 'http://localhost:3101' }).messaging).toEqual({
      environment: 'local',
      ...SANDBOX_CLIENT,
      tokenUrl: 'http://localhost:3101/oauth/token',
    })
  })

  test.each([
    ['credentials are set', { PAS_PCS_CLIENT_ID: 'mine', PAS_PCS_CLIENT_SECRET: 'mine too' }],
    ['half of them are', { PAS_PCS_CLIENT_ID: 'mine' }],
    ['it is another environment', { PPOPPO_ENVIRONMENT: 'sandbox' }],
    ['accounts are elsewhere', { PPOPPO_AUTH_URL: 'https://accounts.example.com' }],
    ['it is production', { NODE_ENV: 'production' }],
  ])('gives the sandbox’s credentials to nobody where %s', (_when, env) => {
    expect(readConfig(env).ppoppo.messaging).toBeUndefined()
    expect(JSON.stringify(readConfig(env))).not.toContain('sandbox_external')
  })

  test.each([
    ['PORT', 'eighty'],
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['TRUST_PROXY', 'true'],
  ])('refuses %s=%s by name', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} must be a whole number`))
  })
})
