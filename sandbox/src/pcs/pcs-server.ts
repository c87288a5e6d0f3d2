import { createServer, type Server as NetServer } from 'node:net'
import { ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation, protoPath as healthProtoPath, type ServingStatus } from 'grpc-health-check'
import { type Listening, listen } from '../listen.js'
import { unary } from './answer-call.js'
import { createTemplate, getAppStats, getPollResults, listPollResponses } from './app-methods.js'
import { createSendRequest, getSendRequestStatus } from './message-methods.js'
import type { PcsState } from './pcs-state.js'
import { PrefixingServer } from './prefixing-server.js'
import { describable, loadProto, serviceIn } from './proto-file.js'
import { rememberingBytes } from './request-bytes.js'
import { streamEvents } from './stream-events.js'

const PACKAGE = 'chat.external'
const SERVICES = ['ExternalMessageService', 'ExternalTemplateService', 'ExternalAppService'].map(
  (name) => `${PACKAGE}.${name}`,
)

/** The gRPC server in front of the state; it can be closed and another opened. */
export interface PcsServer {
  readonly port: number
  /** What `grpc.health.v1.Health` answers for the whole server and for each service. */
  setHealth(status: ServingStatus): void
  close(): Promise<void>
}

export async function openPcsServer(state: PcsState, port: number, host: string): Promise<PcsServer> {
  const server = new PrefixingServer({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 })
  const setHealth = addServices(server, state)
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

function addServices(server: PrefixingServer, state: PcsState): (status: ServingStatus) => void {
  const proto = loadProto()
  const [messages, templates, app] = SERVICES
  const implementations: readonly (readonly [string | undefined, UntypedServiceImplementation])[] = [
    [
      messages,
      {
        CreateSendRequest: unary(state, 'CreateSendRequest', createSendRequest),
        GetSendRequestStatus: unary(state, 'GetSendRequestStatus', getSendRequestStatus),
        StreamSendRequestEvents: streamEvents(state),
      },
    ],
    [templates, { CreateTemplate: unary(state, 'CreateTemplate', createTemplate) }],
    [
      app,
      {
        GetPollResults: unary(state, 'GetPollResults', getPollResults),
        ListPollResponses: unary(state, 'ListPollResponses', listPollResponses),
        GetAppStats: unary(state, 'GetAppStats', getAppStats),
      },
    ],
  ]
  for (const [name = '', implementation] of implementations) {
    server.addService(rememberingBytes(serviceIn(proto, name)), implementation)
  }
  const names = ['', ...SERVICES]
  const health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'SERVING'])))
  health.addToServer(server)
  new ReflectionService({ ...describable(proto), ...loadSync(healthProtoPath) }).addToServer(server)
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
