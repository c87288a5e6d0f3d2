import { promises as dns, type LookupAllOptions } from 'node:dns'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from '../../../src/messaging/types/methods.js'
import { allowed } from '../../support/allowed.js'
import { elapse } from '../../support/until.js'
import { connect, outcomeOf, startTokenEndpoint, type TokenEndpoint } from './hostile-client.js'
import { answerWell, type RawServer, startRawServer } from './raw-server.js'

/*
 * M9: the name of PCS moves to another address, as in a rollout. Only what the name means is replaced here, at Node's own
 * lookup; both addresses are of this machine.
 */

const REQUEST = { templateId: 't1', recipients: [{ ppnum: '12312345678' }] } as const
const NAME = 'pcs.localhost'
const lookup = dns.lookup
let addresses: string[]
let tokens: TokenEndpoint
let before: RawServer
let after: RawServer
let client: Messaging | undefined

beforeEach(async () => {
  addresses = ['127.0.0.1']
  const ours = async (name: string, options: LookupAllOptions): Promise<unknown> =>
    name === NAME ? addresses.map((address) => ({ address, family: 4 })) : lookup(name, options)
  dns.lookup = ours as typeof dns.lookup
  tokens = await startTokenEndpoint()
  before = await startRawServer(answerWell)
  after = await startRawServer(answerWell, { port: before.port, host: '127.0.0.2' })
})
afterEach(async () => {
  dns.lookup = lookup
  await client?.close()
  await Promise.all([before.close(), after.close(), tokens.close()])
})

describe('M9: a name that moves to another address', () => {
  test.each(['at once', 'a second after the old address is gone'])(
    'is followed within 2 s: it moves %s',
    async (when) => {
      client = connect(`http://${NAME}:${before.port}`, tokens.url, { deadlineMs: 120_000 }, { random: Math.random })
      await client.send(REQUEST)
      const move = (): number => {
        addresses = ['127.0.0.2']
        return performance.now()
      }
      let movedAt = when === 'at once' ? move() : undefined
      await before.close()
      const sending = outcomeOf(client.send(REQUEST))
      if (movedAt === undefined) {
        await elapse(1_000)
        movedAt = move()
      }
      expect(await sending).toMatchObject({ outcome: 'ok' })
      // 2 s is what grpc-js takes at most, and then it connects. Its default takes 30 s.
      expect(performance.now() - movedAt).toBeLessThan(await allowed(5_000))
      expect([before.seen.length, after.seen.length]).toEqual([1, 1])
    },
  )

  test('is looked up no more often than the app allows', async () => {
    const grpcChannelOptions = { 'grpc.dns_min_time_between_resolutions_ms': 600_000 }
    client = connect(`http://${NAME}:${before.port}`, tokens.url, { grpcChannelOptions })
    await client.send(REQUEST)
    addresses = ['127.0.0.2']
    await before.close()
    expect(await outcomeOf(client.send(REQUEST, { deadlineMs: 10_000 }))).toMatchObject({
      outcome: 'messaging_unavailable',
    })
    expect(after.seen.length).toBe(0)
  })
})
