import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A load balancer of the simplest kind. */
export interface RoundRobinProxy {
  readonly url: string
  /** How many requests each upstream has answered. */
  readonly answered: readonly number[]
  /** Sends what comes to this upstream only; `undefined` takes turns again. */
  pin(upstream: number | undefined): void
  close(): Promise<void>
}

/** Takes turns between ports of this machine, known when the requests come; one that refuses is passed over. */
export async function startRoundRobinProxy(ports: () => readonly number[]): Promise<RoundRobinProxy> {
  const answered: number[] = []
  let turn = 0
  let pinned: number | undefined
  const server = createServer(async (req, res) => {
    const upstreams = ports()
    const body: Buffer[] = []
    for await (const chunk of req) body.push(chunk)
    const first = pinned ?? turn++
    const ask = (tried: number): void => {
      if (tried >= upstreams.length) return void res.writeHead(502).end()
      const index = (first + tried) % upstreams.length
      const { method, url: path, headers } = req
      const forward = request({ host: '127.0.0.1', port: upstreams[index], method, path, headers, agent: false })
      forward.on('error', () => (res.headersSent ? res.destroy() : ask(tried + 1)))
      forward.on('response', (answer) => {
        answered[index] = (answered[index] ?? 0) + 1
        res.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(res)
        // What ends on one side in the middle ends on the other, too.
        answer.on('close', () => answer.complete || res.destroy())
        res.on('close', () => forward.destroy())
      })
      forward.end(Buffer.concat(body))
    }
    ask(0)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    answered,
    pin: (upstream) => {
      pinned = upstream
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
