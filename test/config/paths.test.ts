import { describe, expect, test } from '@jest/globals'
import { DEV, faultsOf, resolve } from '../support/config.js'

const HOST = 'http://localhost:3000'

/** Home, callback and what is stripped, as `options` make them. */
function pathsOf(options: object, env: Record<string, string> = {}): readonly string[] {
  const { homeUrl, redirectUri, strippedPrefix } = resolve({ ...DEV, ...options }, env)
  return [homeUrl.replace(HOST, ''), redirectUri.replace(HOST, ''), strippedPrefix]
}

describe('public paths', () => {
  test.each([
    ['defaults', {}, ['/', '/auth/callback', '']],
    [
      'basePath from mountPath, without its last segment',
      { mountPath: '/shop/auth' },
      ['/shop/', '/shop/auth/callback', ''],
    ],
    ['basePath from a deep mountPath', { mountPath: '/a/b/c/' }, ['/a/b/', '/a/b/c/callback', '']],
    ['basePath alone', { basePath: '/shop' }, ['/shop/', '/shop/auth/callback', 'detect']],
    ['basePath with a trailing slash', { basePath: '/shop/' }, ['/shop/', '/shop/auth/callback', 'detect']],
    ['basePath set to the root', { basePath: '/', mountPath: '/api/auth' }, ['/', '/api/auth/callback', '']],
    [
      'both paths set',
      { basePath: '/shop', mountPath: '/shop/users/sign-in' },
      ['/shop/', '/shop/users/sign-in/callback', 'detect'],
    ],
    [
      'strippedPrefix, basePath derived',
      { mountPath: '/shop/auth', strippedPrefix: '/shop/' },
      ['/shop/', '/shop/auth/callback', '/shop'],
    ],
    [
      'a leading part of basePath stripped',
      { basePath: '/gate/shop', strippedPrefix: '/gate' },
      ['/gate/shop/', '/gate/shop/auth/callback', '/gate'],
    ],
    ['strippedPrefix empty', { basePath: '/shop', strippedPrefix: '' }, ['/shop/', '/shop/auth/callback', '']],
    ['strippedPrefix set to "/"', { basePath: '/shop', strippedPrefix: '/' }, ['/shop/', '/shop/auth/callback', '']],
  ])('S4 %s', (_name, options, expected) => expect(pathsOf(options)).toEqual(expected))

  test('S4 basePath comes from the environment, and the option wins', () => {
    const env = { PPOPPO_BASE_PATH: '/shop' }
    expect(pathsOf({}, env)).toEqual(['/shop/', '/shop/auth/callback', 'detect'])
    expect(pathsOf({ basePath: '/blog' }, env)).toEqual(['/blog/', '/blog/auth/callback', 'detect'])
    expect(faultsOf(DEV, { PPOPPO_BASE_PATH: 'https://localhost:3000/shop' })[0]).toMatch(
      /^"basePath" \(PPOPPO_BASE_PATH\) must be a path such as "\/shop"/,
    )
  })

  test.each([
    ['mountPath', { basePath: '/shop', mountPath: '/auth' }, 'must be under "basePath"'],
    ['mountPath', { basePath: '/shop', mountPath: '/shopping/auth' }, 'must be under "basePath"'],
    ['mountPath', { mountPath: '/' }, 'must not be "/"'],
    ['strippedPrefix', { strippedPrefix: '/shop' }, 'must be "basePath" or a leading part of it'],
    ['strippedPrefix', { basePath: '/shop', strippedPrefix: '/sho' }, 'must be "basePath" or a leading part of it'],
    ['strippedPrefix', { basePath: '/shop', strippedPrefix: 'shop' }, 'must be a path such as'],
    ['strippedPrefix', { basePath: '/shop', strippedPrefix: true }, 'must be a path such as'],
    ['basePath', { basePath: '/shop?x' }, 'must be a path such as'],
    ['basePath', { basePath: '//shop' }, 'must be a path such as'],
    ['basePath', { basePath: '/../shop' }, 'must be a path such as'],
    ['basePath', { basePath: '/상점' }, 'must be a path such as'],
  ])('S4 "%s" is rejected: %j', (name, options, problem) => {
    const faults = faultsOf({ ...DEV, ...options })
    expect(faults).toEqual([expect.stringContaining(problem)])
    expect(faults[0]?.startsWith(`"${name}"`)).toBe(true)
  })
})
