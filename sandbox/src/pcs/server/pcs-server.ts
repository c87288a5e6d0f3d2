import { createServer, type Server as NetServer } from 'node:net'
import { ServerCredentials } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoPath, type ServingStatus } from 'grpc-health-check'
import { type Listening, listen } from '../../lib/listen.js'
import { implement } from '../methods/implement.js'
import type { PcsState } from '../state/pcs-state.js'
import { type ContractNames, namesOf, type PcsContract } from '../wire/contract.js'
import { PCS_SERVICES, type PcsService } from '../wire/methods.js'
import { describable, loadProto, serviceIn } from '../wire/proto-file.js'
import { rememberingBytes } from '../wire/request-bytes.js'
import { PrefixingServer } from './prefixing-server.js'

const SERVICES = Object.keys(PCS_SERVICES) as PcsService[]

/** The gRPC server in front of the state; it can be closed and another opened. */
export interface PcsServer {
  readonly port: number
  /** What `grpc.health.v1.Health` answers for the whole server and for each service. */
  setHealth(status: ServingStatus): void
  close(): Promise<void>
}

/** Where it listens, and by which names it answers. */
export interface PcsPlace {
  readonly port: number
  readonly host: string
  readonly contract: PcsContract
}

export async function openPcsServer(state: PcsState, { port, host, contract }: PcsPlace): Promise<PcsServer> {
  const server = new PrefixingServer({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 })
  const setHealth = addServices(server, state, namesOf(contract))
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  // The listening socket is ours, so that single connections can be broken, and `localhost` is both loopbacks.
  const accept = (): NetServer =>
    createServer((socket) => {
      state.connections.add(socket)
      injector.injectConnection(socket)
    })
  const listening = await listen(accept, port, host)
  return { port: listening.port, setHealth, close: () => close(state, server, injector, listening) }
}

function addServices(
  server: PrefixingServer,
  state: PcsState,
  contracts: readonly ContractNames[],
): (status: ServingStatus) => void {
  const definitions = contracts.map((contract) => {
    const proto = loadProto(contract)
    for (const service of SERVICES) {
      const implementation = Object.fromEntries(PCS_SERVICES[service].map((name) => [name, implement(state, name)]))
      server.addService(rememberingBytes(serviceIn(proto, contract[service])), implementation)
    }
    return describable(proto)
  })
  const names = ['', ...contracts.flatMap(({ messages, templates, app }) => [messages, templates, app])]
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING'])))
  health.addToServer(server)
  new ReflectionService(Object.assign({}, ...definitions, loadSync(healthProtoPath))).addToServer(server)
  return (status) => {
    for (const name of names) health.setStatus(name, status)
  }
}

async function close(
  state: PcsState,
  server: PrefixingServer,
  injector: { destroy(): void },
  listening: Listening,
): Promise<void> {
  const closed = listening.close()
  state.connections.destroyAll()
  injector.destroy()
  server.forceShutdown()
  await closed
}
