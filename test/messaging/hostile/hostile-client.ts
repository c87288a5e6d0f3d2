import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolveMessagingConfig } from '../../../src/config/messaging.js'
import type { MessagingOptions } from '../../../src/config/messaging-options.js'
import type { PpoppoError } from '../../../src/errors.js'
import { type MessagingRuntime, systemMessagingRuntime } from '../../../src/messaging/lib/runtime.js'
import { createMessagingClient } from '../../../src/messaging/messaging.js'
import type { CallOptions, Messaging } from '../../../src/messaging/types/methods.js'

export const SECRET = 'hostile-secret-0123456789'

/** A token endpoint that grants `token-1`, `token-2`, ... */
export interface TokenEndpoint {
  readonly url: string
  readonly granted: number
  /** What the next tokens live. */
  expiresIn: number
  /** Before an answer goes out. */
  pause: () => Promise<void>
  close(): Promise<void>
}

export async function startTokenEndpoint(): Promise<TokenEndpoint> {
  let granted = 0
  const server = createServer(async (_request, response) => {
    granted += 1
    const token = `token-${granted}`
    await endpoint.pause()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: endpoint.expiresIn }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint: TokenEndpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/token`,
    get granted() {
      return granted
    },
    expiresIn: 3_600,
    pause: async () => {},
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return endpoint
}

/** A client of `apiUrl` whose pauses before a repeat are short: none, but where the server asks for one. */
export function connect(
  apiUrl: string,
  tokenUrl: string,
  options: MessagingOptions = {},
  runtime: Partial<MessagingRuntime> = {},
): Messaging {
  const config = resolveMessagingConfig(
    { apiUrl, tokenUrl, clientId: 'hostile_external_client', clientSecret: SECRET, deadlineMs: 30_000, ...options },
    {},
  )
  return createMessagingClient({ config, runtime: { ...systemMessagingRuntime, random: () => 0, ...runtime } })
}

export type Operation = 'status' | 'send'

/** A read or a write. */
export function call(messaging: Messaging, operation: Operation, options?: CallOptions): Promise<unknown> {
  if (operation === 'status') return messaging.status('s1', options)
  return messaging.send({ templateId: 't1', recipients: [{ ppnum: '12312345678' }] }, options)
}

/** How a call ended: `'ok'`, or the error's code; the error; and what it tells of gRPC. */
export interface Outcome {
  readonly outcome: string
  readonly error?: PpoppoError
  readonly told?: string
}

export async function outcomeOf(promise: Promise<unknown>): Promise<Outcome> {
  try {
    await promise
    return { outcome: 'ok' }
  } catch (thrown) {
    const error = thrown as PpoppoError
    const told = error.cause instanceof Error ? { told: error.cause.message } : {}
    return { outcome: error.code ?? error.name, error, ...told }
  }
}
