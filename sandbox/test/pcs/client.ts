import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterEach } from '@jest/globals'
import type { PcsAddress, Sandbox, SandboxOptions } from '../../src/index.js'
import { sandboxFor } from '../support.js'

/** Plain grpc-js and proto-loader on the transcribed file: they share no code with the sandbox. */
const proto = loadSync('ppoppo/external/v1/external.proto', {
  includeDirs: [fileURLToPath(new URL('../../../proto', import.meta.url))],
  keepCase: true,
  enums: String,
  defaults: true,
})

/** A message by the wire's names. */
export interface Message {
  readonly [field: string]: unknown
}

const open: grpc.Client[] = []

afterEach(() => {
  for (const client of open.splice(0)) client.close()
})

/** A sandbox with the messaging service on a free port, fast unless told otherwise. */
export async function pcsSandbox(options: SandboxOptions = {}): Promise<{ sandbox: Sandbox; pcs: PcsAddress }> {
  const fast = { pcsPort: 0, pcsStepMs: 1, pcsConsentMs: 1, pcsPollAnswerMs: 1 }
  const sandbox = await sandboxFor({ ...fast, ...options })
  if (sandbox.pcs === undefined) throw new Error('the messaging service did not start')
  return { sandbox, pcs: sandbox.pcs }
}

/** The token endpoint's answer to the External API client, with what is changed in the form. */
export function askForToken(pcs: PcsAddress, form: { readonly [field: string]: string } = {}): Promise<Response> {
  const { clientId, clientSecret } = pcs
  const body = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...form }
  return fetch(pcs.tokenUrl, { method: 'POST', body: new URLSearchParams(body) })
}

export async function fetchToken(pcs: PcsAddress): Promise<string> {
  const answer: { access_token: string } = JSON.parse(await (await askForToken(pcs)).text())
  return answer.access_token
}

export interface RawClient {
  readonly channel: grpc.Client
  /** A unary call; a status other than OK rejects with grpc-js's own error. */
  call(path: string, request: Message, options?: { readonly deadlineMs?: number }): Promise<Message>
  /** What goes over the wire for a request. */
  encode(path: string, request: Message): Buffer
  stream(request: Message): grpc.ClientReadableStream<Message>
}

/** A client on its own connection. `token` left out fetches one; `null` sends none. */
export async function connect(pcs: PcsAddress, token?: string | null, prefix = ''): Promise<RawClient> {
  const bearer = token === undefined ? await fetchToken(pcs) : token
  const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.initial_reconnect_backoff_ms': 20 }
  const channel = new grpc.Client(`localhost:${pcs.port}`, grpc.credentials.createInsecure(), options)
  open.push(channel)
  const metadata = new grpc.Metadata()
  if (bearer !== null) metadata.set('authorization', `Bearer ${bearer}`)
  const methodOf = (path: string) => {
    const [service = '', name = ''] = path.split('/')
    const definition = proto[`chat.external.${service}`]
    const method = definition !== undefined && !('format' in definition) ? definition[name] : undefined
    if (method === undefined) throw new Error(`${path} is not in the proto file`)
    return { ...method, path: prefix + method.path }
  }
  return {
    channel,
    call: (path, request, { deadlineMs = 5000 } = {}) => {
      const { path: full, requestSerialize, responseDeserialize } = methodOf(path)
      return new Promise((resolve, reject) => {
        const deadline = Date.now() + deadlineMs
        const done = (error: grpc.ServiceError | null, answer?: object): void => {
          if (error === null) resolve({ ...answer })
          else reject(error)
        }
        channel.makeUnaryRequest(full, requestSerialize, responseDeserialize, request, metadata, { deadline }, done)
      })
    },
    encode: (path, request) => methodOf(path).requestSerialize(request),
    stream: (request) => {
      const method = methodOf('ExternalMessageService/StreamSendRequestEvents')
      const { path: full, requestSerialize, responseDeserialize } = method
      const read = (bytes: Buffer): Message => ({ ...responseDeserialize(bytes) })
      return channel.makeServerStreamRequest(full, requestSerialize, read, request, metadata)
    },
  }
}

export interface StreamEnd {
  readonly events: readonly Message[]
  readonly status: grpc.StatusObject
}

/** Reads a stream until it ends by itself, or cancels it once `isEnough`. */
export function readUntil(
  stream: grpc.ClientReadableStream<Message>,
  isEnough: (events: readonly Message[]) => boolean = () => false,
): Promise<StreamEnd> {
  const events: Message[] = []
  return new Promise((resolve) => {
    stream.on('error', () => {})
    stream.on('data', (event: Message) => {
      events.push(event)
      if (isEnough(events)) stream.cancel()
    })
    stream.on('status', (status: grpc.StatusObject) => resolve({ events, status }))
  })
}

export const isComplete = (events: readonly Message[]): boolean => events.at(-1)?.['event_type'] === 'REQUEST_COMPLETED'

export const SEND = 'ExternalMessageService/CreateSendRequest'
export const STATUS = 'ExternalMessageService/GetSendRequestStatus'
export const STATS = 'ExternalAppService/GetAppStats'

/** Sends the welcome template to numbers, and waits for the end of it. */
export async function sendTo(client: RawClient, ...ppnums: readonly string[]): Promise<readonly Message[]> {
  const recipients = ppnums.map((ppnum) => ({ ppnum }))
  const { id } = await client.call(SEND, { template_id: 'tpl_sandbox_welcome', recipients })
  return (await readUntil(client.stream({ send_request_id: id }), isComplete)).events
}

export const numbers = (count: number): Message[] =>
  Array.from({ length: count }, (_, index) => ({ ppnum: String(77_700_000_000 + index) }))

/** A status other than OK, with the two hints of how long to wait. */
export interface Refusal {
  readonly code: number
  readonly details: string
  readonly hints: readonly [unknown, unknown]
}

export async function refusalOf(call: Promise<Message>): Promise<Refusal> {
  const error: Partial<grpc.ServiceError> = await call.then(
    () => new Error('it was accepted'),
    (refusal: unknown) => refusal as grpc.ServiceError,
  )
  const trailers = error.metadata?.getMap() ?? {}
  const hints = [trailers['retry-after-ms'], trailers['retry-after']] as const
  return { code: error.code ?? -1, details: error.details ?? String(error.message), hints }
}
