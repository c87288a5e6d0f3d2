import { startChild } from './children.mjs'

const CLIENTS = { 'grpc-js': 'raw', 'express-ppoppo': 'ours' }

/**
 * Starts a messaging service and a client of each kind, each in a process of its own, runs `work`, and ends them.
 * @param {Pick<import('./context.mjs').Context, 'profileOf'>} context
 * @param {(clients: Record<string, (work: object) => Promise<{ cpuMicros: number, tookMs: number }>>, pcs: { port: number }) => Promise<T>} work
 *   is given for each client what makes it work
 * @param {(pcs: { port: number }) => Promise<number> | number} [portFor] the port the clients connect to
 * @template T
 */
export async function withMessagingClients({ profileOf }, work, portFor = ({ port }) => port) {
  const children = []
  const startOne = async (...args) => {
    const child = await startChild(...args)
    children.push(child)
    return child
  }
  try {
    const { first: pcs } = await startOne('servers/pcs.mjs', [])
    const options = JSON.stringify({ target: `127.0.0.1:${await portFor(pcs)}`, tokenUrl: pcs.tokenUrl })
    const clients = {}
    for (const [name, kind] of Object.entries(CLIENTS)) {
      const child = await startOne('clients/run-client.mjs', [kind, options], profileOf(name))
      clients[name] = async (asked) => {
        const answer = await child.ask(asked)
        if (answer.error) throw new Error(`${name}: ${answer.error}`)
        return answer
      }
    }
    return await work(clients)
  } finally {
    await Promise.all(children.map((child) => child.end()))
  }
}
