import { status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import { until } from '../../../test/support/until.js'
import { CLIENT_ID, discover, sandboxFor, signIn } from '../support.js'
import { askForToken, connect, fetchToken, pcsSandbox, STATS } from './client.js'

describe('the client_credentials token', () => {
  test('is a JWT with its life and type, and is in the list of issued tokens', async () => {
    const { sandbox, pcs } = await pcsSandbox({ externalTokenTtlSeconds: 90 })
    const response = await askForToken(pcs)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    const answer: { access_token: string } = JSON.parse(await response.text())
    expect(answer).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 90 })
    expect(answer.access_token.split('.')).toHaveLength(3)
    expect(sandbox.control.issuedTokens).toEqual([
      { kind: 'access_token', value: answer.access_token, sub: pcs.clientId },
    ])
    expect(sandbox.control.counters).toMatchObject({ token: 1, tokenClientCredentials: 1, tokenRefresh: 0 })
  })

  test.each([
    [{ client_secret: 'wrong' }, 401, 'invalid_client'],
    [{ client_secret: '' }, 401, 'invalid_client'],
    [{ client_id: 'nobody' }, 401, 'invalid_client'],
    [{ client_id: CLIENT_ID }, 400, 'unauthorized_client'],
  ])('%j is refused: %s %s', async (form, code, error) => {
    const { pcs } = await pcsSandbox()
    const response = await askForToken(pcs, form)
    expect(response.status).toBe(code)
    expect(JSON.parse(await response.text())).toMatchObject({ error })
  })

  test('has faults of its own', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const grantType = 'client_credentials'
    sandbox.control.inject({ endpoint: 'token', grantType, fault: { kind: 'status', status: 503 } })
    sandbox.control.inject({ endpoint: 'token', grantType, fault: { kind: 'missing-access-token' } })
    await signIn(await discover(sandbox), 'alex')
    expect((await askForToken(pcs)).status).toBe(503)
    expect(JSON.parse(await (await askForToken(pcs)).text())).toEqual({ token_type: 'Bearer', expires_in: 3600 })
    expect((await askForToken(pcs)).status).toBe(200)
  })

  test('and nothing else gets in: no token, a wrong one, a person’s, an expired one', async () => {
    const { sandbox, pcs } = await pcsSandbox({ externalTokenTtlSeconds: 1 })
    const person = await signIn(await discover(sandbox), 'alex')
    for (const token of [null, 'x.y.z', person.access_token]) {
      const refused = (await connect(pcs, token)).call(STATS, {})
      await expect(refused).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
    }
    const client = await connect(pcs)
    await client.call(STATS, {})
    const isRefused = (): Promise<boolean> =>
      client.call(STATS, {}).then(
        () => false,
        () => true,
      )
    await until(isRefused, 'the token has expired')
    await expect(client.call(STATS, {})).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: 'the bearer token is expired or unknown',
    })
  })

  test('expired by the control it is refused, and a new one is not', async () => {
    const { sandbox, pcs } = await pcsSandbox()
    const token = await fetchToken(pcs)
    sandbox.control.pcs.expireTokens()
    await expect((await connect(pcs, token)).call(STATS, {})).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
    await expect((await connect(pcs)).call(STATS, {})).resolves.toMatchObject({ id: 'app_sandbox' })
  })
})

describe('without the messaging service', () => {
  test('accounts are as they were, and the control says what is missing', async () => {
    const sandbox = await sandboxFor()
    expect([sandbox.pcs, sandbox.control.hasPcs]).toEqual([undefined, false])
    expect(() => sandbox.control.pcs).toThrow('start the sandbox with pcsPort')
    await expect(sandbox.restartPcs()).rejects.toThrow('start the sandbox with pcsPort')
    expect((await fetch(`${sandbox.issuer}/__sandbox/pcs`)).status).toBe(404)
  })
})
