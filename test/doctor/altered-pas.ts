import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Sandbox } from 'ppoppo-sandbox'

/** The sandbox's PAS under an address of its own, with answers that the sandbox itself does not give. */
export interface AlteredPas {
  readonly url: string
  /** Members over those of every JSON answer, and by how much its clock is ahead, in seconds. */
  alter(members: object, aheadSeconds: number): void
  close(): Promise<void>
}

/** Starts it in front of a sandbox. */
export async function startAlteredPas({ issuer }: Sandbox): Promise<AlteredPas> {
  let altered = { members: {}, aheadSeconds: 0 }
  const server = createServer(async (req, res) => {
    const answer = await fetch(`${issuer}${req.url}`, { redirect: 'manual' })
    const text = (await answer.text()).replaceAll(issuer, url)
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    res.statusCode = answer.status
    res.setHeader('content-type', answer.headers.get('content-type') ?? 'text/plain')
    res.setHeader('date', new Date(Date.now() + altered.aheadSeconds * 1_000).toUTCString())
    res.end(isJson ? JSON.stringify({ ...JSON.parse(text), ...altered.members }) : text)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    alter: (members, aheadSeconds) => {
      altered = { members, aheadSeconds }
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
