import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { resolveMessagingConfig } from '../../src/config/messaging.js'
import { CLIENT, sendJson } from './support/fake-token-endpoint.js'
import { type MessagingWorld, REQUEST, startWorld } from './support/world.js'

let world: MessagingWorld
beforeEach(async () => {
  world = await startWorld()
})
afterEach(() => world.close())

/** Everything that printing a value may bring to light. */
function printed(value: unknown): string {
  const deep = inspect(value, { depth: 10, showHidden: true, getters: false })
  const json = JSON.stringify(value) ?? ''
  const stack = value instanceof Error ? String(value.stack) : ''
  return deep + json + stack + String(value)
}

test('no secret and no token is in a client, its configuration, or any of its errors', async () => {
  const TOKEN = 'eyJhbGciOiJub25lIn0.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl'
  world.pas.answer = (response) => sendJson(response, 200, { access_token: TOKEN, expires_in: 3_600 })
  const client = world.connect()
  const values: unknown[] = [client, resolveMessagingConfig({ ...CLIENT }, {})]
  const fail = async (work: Promise<unknown>): Promise<void> => {
    values.push(await work.catch((error: unknown) => error))
  }
  for (let code = 1; code <= 16; code++) {
    const trailers = { 'x-echo': `Bearer ${TOKEN}` }
    world.pcs.answer = ({ token }) => ({
      code,
      details: `you sent ${token} with ${CLIENT.clientSecret.length}`,
      trailers,
    })
    await fail(world.connect({ maxAttempts: 1 }).send(REQUEST))
    await fail(client.status('snd_1', { deadlineMs: 300 }))
  }
  world.pas.answer = (response) =>
    sendJson(response, 400, { error: CLIENT.clientSecret, error_description: CLIENT.clientSecret })
  await fail(world.connect().send(REQUEST))
  values.push(await world.connect().health())
  await client.close()
  await fail(client.send(REQUEST))

  expect(values).toHaveLength(37)
  for (const value of values) {
    expect(printed(value)).not.toContain(TOKEN)
    expect(printed(value)).not.toContain(CLIENT.clientSecret)
  }
})
