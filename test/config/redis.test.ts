import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseRedisUrl } from '../../src/config/redis.js'

describe('REDIS_URL', () => {
  test.each([
    ['redis://cache', { host: 'cache', port: 6379, db: 0, tls: false }],
    ['REDIS://cache:6380/', { host: 'cache', port: 6380, db: 0, tls: false }],
    ['rediss://cache.example:6380/2', { host: 'cache.example', port: 6380, db: 2, tls: true }],
    ['redis://:pw@10.0.0.1', { host: '10.0.0.1', port: 6379, password: 'pw', db: 0, tls: false }],
    ['redis://me:pw@cache', { host: 'cache', port: 6379, username: 'me', password: 'pw', db: 0, tls: false }],
    ['redis://me@cache', { host: 'cache', port: 6379, username: 'me', db: 0, tls: false }],
    ['redis://:@cache', { host: 'cache', port: 6379, db: 0, tls: false }],
    [
      'redis://m%40e:p%2Fs%3A%23%25@cache/15',
      { host: 'cache', port: 6379, username: 'm@e', password: 'p/s:#%', db: 15, tls: false },
    ],
    ['redis://:a@b:c@cache', { host: 'cache', port: 6379, password: 'a@b:c', db: 0, tls: false }],
    ['redis://my_cache-1', { host: 'my_cache-1', port: 6379, db: 0, tls: false }],
    ['redis://[::1]:7000/1', { host: '::1', port: 7000, db: 1, tls: false }],
    ['rediss://u:p@[fe80::1]', { host: 'fe80::1', port: 6379, username: 'u', password: 'p', db: 0, tls: true }],
    ['redis://cache?family=6', { host: 'cache', port: 6379, db: 0, tls: false, family: 6 }],
    ['redis://cache/3?family=0', { host: 'cache', port: 6379, db: 3, tls: false, family: 0 }],
  ])('%s is parsed', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address)
  })

  test.each([
    ['cache:6379', /^must be a redis:\/\/ or rediss:\/\//],
    ['http://cache', /^must be a redis:\/\//],
    ['redis:cache', /two slashes/],
    ['"redis://cache"', /quotes/],
    ['valkey://cache', /redis:\/\//],
    ['redis-sentinel://a:26379/mymaster', /Sentinels.*new Redis\(\{ sentinels, name \}\)/],
    ['redis+cluster://a:7000', /new Cluster\(/],
    ['redis://a:7000,b:7000', /several servers.*new Cluster\(/],
    ['unix:///var/run/redis.sock', /Unix socket.*new Redis\(\{ path \}\)/],
    ['redis+unix:///var/run/redis.sock', /Unix socket/],
    ['/var/run/redis.sock', /Unix socket/],
    ['./redis.sock', /Unix socket/],
    ['redis://', /names no host/],
    ['redis:///0', /names no host/],
    ['redis://:pw@', /names no host/],
    ['redis://me:pw@:6379', /names no host/],
    ['redis://::1:6379', /brackets/],
    ['redis://2001:db8::1', /brackets/],
    ['redis://[cache]', /host/],
    ['redis://[::1', /host/],
    ['redis://<host>:6379', /placeholder/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what an .env file leaves when nothing replaces it
    ['redis://${REDIS_HOST}:6379', /placeholder/],
    ['redis://cache:0', /port from 1 to 65535/],
    ['redis://cache:65536', /port from 1 to 65535/],
    ['redis://cache:port', /port from 1 to 65535/],
    ['redis://cache/abc', /database number/],
    ['redis://cache/1/2', /database number/],
    ['redis://cache/-1', /database number/],
    ['redis://cache/1.5', /database number/],
    ['redis://cache/999999', /database number/],
    ['redis://:100%@cache', /%25/],
    ['redis://:%zz@cache', /%25/],
    ['redis://:pa/ss@cache', /percent-encoded/],
    ['redis://:1234/5@cache:6379/0', /percent-encoded/],
    ['redis://me:12?3@cache', /percent-encoded/],
    ['redis://me:12#3@cache', /percent-encoded/],
    ['redis://cache/0#main', /"#"/],
    ['redis://cache /0', /spaces/],
    ['redis://cache/0\n', /spaces, line breaks/],
    ['redis:\\\\cache', /backslashes/],
    ['redis://cache?keyPrefix=app:', /"keyPrefix", which is not supported: set the option "keyPrefix"/],
    ['redis://cache?db=2', /redis:\/\/host\/2/],
    ['redis://cache/1?password=pw', /"password".*before the host/],
    ['redis://cache?tls=true', /rediss:\/\//],
    ['rediss://cache?ssl_cert_reqs=none', /"ssl_cert_reqs".*pass an ioredis client/],
    ['redis://cache?famly=6', /did you mean "family"/],
    ['redis://cache?family=5', /0, 4 or 6/],
    ['redis://cache?a%20b=1', /\(odd name\)/],
    ['redis://cache?constructor=1', /"constructor", which is not supported: pass an ioredis client/],
    ['redis://cache?__proto__=1', /"__proto__", which is not supported: pass an ioredis client/],
    ['redis+tls://cache', /rediss:\/\/ for TLS/],
    ['rediss+ssl://cache', /rediss:\/\/ for TLS/],
    ['redis://cache?=1', /\(odd name\)/],
    ['redis://cache?enableOfflineQueue=true&family=4', /enableOfflineQueue/],
  ])('%s is rejected with what to do', (url, problem) => {
    expect(parseRedisUrl(url)).toMatch(problem)
  })

  test('no fault contains the password, whatever else is wrong', () => {
    const secret = 'hunter2hunter2'
    const text = fc.string({
      unit: fc.constantFrom('a', '1', ':', '/', '@', '?', '#', '%', '[', ']', ',', '.', '=', '&'),
    })
    fc.assert(
      fc.property(text, text, text, (before, between, after) => {
        const parsed = parseRedisUrl(`redis://${before}:${secret}${between}@${after}`)
        if (typeof parsed === 'string') expect(parsed).not.toContain(secret)
      }),
    )
  })
})
