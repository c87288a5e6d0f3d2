import { createServer, type RequestListener } from 'node:http'
import type { SandboxControl } from './control/control.js'
import { controlRoute } from './control/control-route.js'
import { createControl } from './control/create-control.js'
import { inboxRoute } from './control/inbox/inbox-route.js'
import { applySeed, parseSeed, type Seed } from './control/seed.js'
import { PATHS } from './endpoints.js'
import { FaultQueue } from './faults/fault-queue.js'
import { listen } from './lib/listen.js'
import { dressAuthorization } from './pas/authorize.js'
import { clientCredentials, EXTERNAL_CLIENT_ID, EXTERNAL_CLIENT_SECRET } from './pas/client-credentials.js'
import { drawFault } from './pas/draw-fault.js'
import { endSession } from './pas/end-session.js'
import { frontPage } from './pas/front-page.js'
import type { Middleware } from './pas/middleware.js'
import { loadOidcModule } from './pas/oidc-module.js'
import { createProvider } from './pas/provider.js'
import { reportErrors } from './pas/report-errors.js'
import { revocation } from './pas/revocation.js'
import { sendNulls } from './pas/send-nulls.js'
import { dressTokenAnswer } from './pas/token.js'
import { userinfo } from './pas/userinfo.js'
import { wellKnown } from './pas/well-known.js'
import type { RunningPcs } from './pcs/start-pcs.js'
import type { SeedTemplate } from './pcs/state/seed-template.js'
import { PCS_CONTRACTS, type PcsContract } from './pcs/wire/contract.js'
import { createClientRegistry, parseClients, type SandboxClient } from './state/clients.js'
import { createCounters } from './state/counters.js'
import { Ledger } from './state/ledger.js'
import { type Person, parsePeople, testPeople } from './state/people.js'
import { PeopleRegister } from './state/people-register.js'
import type { SandboxState } from './state/sandbox-state.js'
import { KeyRing } from './state/signing-keys.js'
import { Storage } from './state/storage.js'
import { defaultSwitches, parseSwitches, type Switches } from './state/switches.js'

/** Options of `startSandbox`: the switches below may be set from the start, too. */
export interface SandboxOptions extends Partial<Switches> {
  /** 0 takes a free port. @default 3100 */
  readonly pasPort?: number
  /** Starts the messaging service, too; 0 takes a free port. @default none: accounts only */
  readonly pcsPort?: number
  /** By which names the messaging service answers. @default 'chat.external', as documented */
  readonly pcsContract?: PcsContract
  /** Keeps the messaging service's templates, sends, polls and events from one run to the next. @default memory only */
  readonly stateFile?: string
  /** Templates of your own ids besides the sandbox's, in the shape of `templates.create` with `id`. Needs `pcsPort`. */
  readonly templates?: readonly SeedTemplate[]
  /** Address to listen on. The default is reachable as `localhost` over IPv4 and IPv6. @default '127.0.0.1' */
  readonly host?: string
  /** Instead of the test people. */
  readonly users?: readonly Person[]
  /** Only these clients. @default any id ending in `_login_client`, with redirect URIs on this machine */
  readonly clients?: readonly SandboxClient[]
}

const OPTIONS: readonly (keyof SandboxOptions)[] = [
  'pasPort',
  'pcsPort',
  'pcsContract',
  'stateFile',
  'templates',
  'host',
  'users',
  'clients',
]

/** Where the messaging service is, and what gets in. */
export interface PcsAddress {
  /** `http://localhost:<port>`. */
  readonly url: string
  readonly port: number
  /** The same with the path that production has: `http://localhost:<port>/ext`. */
  readonly prefixUrl: string
  /** Where the token comes from: the accounts service. */
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://localhost:<port>`; the same text as `url`. */
  readonly issuer: string
  readonly url: string
  readonly port: number
  /** In words: which client ids are accepted. */
  readonly acceptedClients: string
  readonly control: SandboxControl
  /** The page of what was sent, for people; there where `pcsPort` was given. */
  readonly inboxUrl?: string
  /** The messaging service; there where `pcsPort` was given. */
  readonly pcs?: PcsAddress
  /** Stops the messaging service, and opens it again on the same port with all it knew. @throws Error without one */
  restartPcs(options?: { readonly downMs?: number }): Promise<void>
  /**
   * Everything as it was at the start: switches, faults, people, counters, templates, and nothing sent. For `beforeEach`.
   * Sign-ins and tokens stay good: the app under test stays signed in.
   */
  reset(): Promise<void>
  /**
   * Adds people, templates and messages. For `beforeEach`, after `reset()`.
   * @throws TypeError naming the entry and the field
   * @example await sandbox.seed({ messages: [{ templateId: 'tpl_order_placed', ppnums: ['77700000001'], vars: { number: '42' } }] })
   */
  seed(seed: Seed): Promise<void>
  /** Stops listening and drops every connection. */
  close(): Promise<void>
}

/**
 * Starts a PAS on this machine, in this process.
 * @throws TypeError for options that make no sense; the system's error when the port is taken
 * @example const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const {
    pasPort = 3100,
    pcsPort,
    pcsContract = 'chat.external',
    stateFile,
    templates,
    host = '127.0.0.1',
    users,
    clients,
    ...given
  } = options
  assertPort('pasPort', pasPort)
  if (pcsPort !== undefined) assertPort('pcsPort', pcsPort)
  else if (stateFile !== undefined) throw new TypeError('"stateFile" needs "pcsPort": accounts are not kept')
  else if (templates !== undefined) throw new TypeError('"templates" needs "pcsPort": accounts send nothing')
  if (!PCS_CONTRACTS.includes(pcsContract))
    throw new TypeError(`"pcsContract" must be one of ${PCS_CONTRACTS.join(', ')}`)
  const people = new PeopleRegister(users === undefined ? testPeople : parsePeople(users))
  const registry = createClientRegistry(clients === undefined ? undefined : parseClients(clients))
  const switches = { ...defaultSwitches, ...parseSwitches(given, people.keys, OPTIONS) }
  const [oidc, keys] = await Promise.all([loadOidcModule(), KeyRing.create()])

  const closing = new AbortController()
  // The issuer holds the port, so the provider can only be made once there is one; early requests wait for it.
  let becomeReady: (listener: RequestListener) => void = () => {}
  const ready = new Promise<RequestListener>((resolve) => {
    becomeReady = resolve
  })
  const accept = () => createServer((...exchange) => void ready.then((listener) => listener(...exchange)))
  const server = await listen(accept, pasPort, host)
  const issuer = `http://localhost:${server.port}`
  const state: SandboxState = {
    issuer,
    port: server.port,
    people,
    clients: registry,
    switches,
    counters: createCounters(),
    faults: new FaultQueue(),
    keys,
    storage: new Storage(),
    ledger: new Ledger(),
    closing: closing.signal,
  }
  let pcs: RunningPcs | undefined
  const control = createControl({ state, pcs: () => pcs?.control })
  const provider = createProvider({ state, oidc })
  reportErrors(provider)
  for (const step of stepsOf(state, control)) provider.use(step)
  becomeReady(provider.callback())
  if (pcsPort !== undefined) {
    // gRPC is loaded where it is wanted, and not for a sandbox of accounts only.
    const { startPcs } = await import('./pcs/start-pcs.js')
    const kept = { ...(stateFile !== undefined && { stateFile }), ...(templates !== undefined && { templates }) }
    pcs = await startPcs({ port: pcsPort, host, contract: pcsContract, switches, ledger: state.ledger, ...kept }).catch(
      async (error: unknown) => {
        await server.close()
        throw error
      },
    )
  }
  return {
    issuer,
    url: issuer,
    port: server.port,
    acceptedClients: registry.description,
    control,
    ...(pcs !== undefined && { pcs: addressOf(pcs, issuer), inboxUrl: `${issuer}/__sandbox/inbox` }),
    reset: async () => control.startOver(),
    seed: async (seed) => applySeed(control, parseSeed(seed)),
    restartPcs: async (restart) => {
      if (pcs === undefined) throw new Error('the messaging service is not running: start the sandbox with pcsPort')
      await pcs.control.restart(restart)
    },
    close: async () => {
      closing.abort()
      await Promise.all([server.close(), pcs?.close()])
    },
  }
}

function assertPort(name: string, port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return
  throw new TypeError(`"${name}" must be a port number from 0 to 65535`)
}

function addressOf({ port }: RunningPcs, issuer: string): PcsAddress {
  const url = `http://localhost:${port}`
  return {
    url,
    port,
    prefixUrl: `${url}/ext`,
    tokenUrl: `${issuer}${PATHS.token}`,
    clientId: EXTERNAL_CLIENT_ID,
    clientSecret: EXTERNAL_CLIENT_SECRET,
  }
}

/** From the outside in; what none of them answers reaches oidc-provider's own authorization and token routes. */
function stepsOf(state: SandboxState, control: SandboxControl): readonly Middleware[] {
  return [
    inboxRoute(state, control),
    controlRoute(state, control),
    frontPage(state),
    sendNulls(state),
    drawFault(state),
    wellKnown(state),
    userinfo(state),
    revocation(state),
    endSession(state),
    clientCredentials(state),
    dressAuthorization(state),
    dressTokenAnswer(state),
  ]
}
