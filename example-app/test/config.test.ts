import { describe, expect, test } from '@jest/globals'
import { readConfig } from '../src/config.js'

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
    })
    expect(readConfig({ NODE_ENV: 'production' }).ppoppo).toEqual({})
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
