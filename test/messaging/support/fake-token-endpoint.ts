import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const CLIENT = { clientId: 'fake_external_client', clientSecret: 'fake-client-secret-0123456789' } as const

/** A token endpoint whose tokens are `tok_1`, `tok_2`, and so on, and whose answers a test may replace. */
export interface FakeTokenEndpoint {
  readonly url: string
  /** Bodies of the requests that came, oldest first. */
  readonly requests: readonly string[]
  /** `undefined`: the usual answer. */
  answer: ((response: ServerResponse, count: number) => void) | undefined
  expiresInSeconds: number
  close(): Promise<void>
}

export async function startTokenEndpoint(): Promise<FakeTokenEndpoint> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      requests.push(Buffer.concat(chunks).toString())
      if (endpoint.answer) return endpoint.answer(response, requests.length)
      sendJson(response, 200, {
        access_token: `tok_${requests.length}`,
        token_type: 'Bearer',
        expires_in: endpoint.expiresInSeconds,
      })
    })
  })
  const port = await listen(server)
  const endpoint: FakeTokenEndpoint = {
    url: `http://127.0.0.1:${port}/oauth/token`,
    requests,
    answer: undefined,
    expiresInSeconds: 3_600,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return endpoint
}

export function sendJson(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
