import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { CHANNEL_OPTIONS, RESERVED_CHANNEL_OPTIONS } from '../../../src/config/channel.js'
import { createMessaging, type MessagingOptions } from '../../../src/messaging/index.js'
import { libraryForTests } from '../../support/built-library.js'
import { certificateFiles, TEST_CERTIFICATE } from '../../support/certificate.js'
import { type ForwardProxy, fetchThrough, startForwardProxy } from '../../support/forward-proxy.js'
import { startTlsFront, type TlsFront } from '../../support/tls-front.js'

const CREDENTIALS = { clientId: 'sandbox_external_client', clientSecret: 'sandbox_external_secret' }
/** The compiled library of a test lies where the package's own is not. */
const descriptor = fileURLToPath(new URL('../../../proto/ppoppo/external/v1/external.proto', import.meta.url))
/** Where Node's own fetch can be told to go through a proxy. */
const NODE_KNOWS_PROXIES = process.allowedNodeEnvironmentFlags.has('--use-env-proxy')

describe('X14 the Messaging API through a proxy, with a certificate of one’s own', () => {
  let library: string
  let sandbox: Sandbox
  let proxy: ForwardProxy
  let pcs: TlsFront
  let pas: TlsFront
  let files: ReturnType<typeof certificateFiles>
  beforeAll(async () => {
    library = join(await libraryForTests(), 'messaging/index.js')
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
    proxy = await startForwardProxy()
    pcs = await startTlsFront(sandbox.pcs?.port ?? 0, 'h2')
    pas = await startTlsFront(sandbox.port, 'http/1.1')
    files = certificateFiles()
  })
  afterAll(async () => {
    await Promise.all([pcs.close(), pas.close(), proxy.close(), sandbox.close()])
    files.remove()
  })
  beforeEach(() => {
    proxy.seen.length = 0
  })

  /** One call in a process with this environment. @returns what came of it */
  async function call(env: Record<string, string>, options: MessagingOptions = {}): Promise<Record<string, unknown>> {
    const all = { apiUrl: `https://localhost:${pcs.port}/ext`, tokenUrl: `https://localhost:${pas.port}/oauth/token` }
    const file = fileURLToPath(new URL('../support/outgoing-script.mjs', import.meta.url))
    const child = spawn(
      process.execPath,
      [file, library, JSON.stringify({ descriptor, ...all, ...CREDENTIALS, ...options })],
      {
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    await once(child, 'close')
    clearTimeout(timer)
    return JSON.parse(printed)
  }
  const trusting = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: files.certificate })
  const tunnel = (): string => `CONNECT localhost:${pcs.port}`

  test('one variable, NODE_EXTRA_CA_CERTS, has both PAS and PCS trusted', async () => {
    expect(await call(trusting())).toEqual({ isActive: true })
    expect(proxy.seen).toEqual([])
  })

  test('without it neither is, and the error names the certificate', async () => {
    const unhappy = { message: expect.stringMatching(/SELF_SIGNED_CERT|certificate/i) }
    expect(await call({}, { deadlineMs: 20_000 })).toMatchObject(unhappy)
    const tokenUrl = sandbox.pcs?.tokenUrl ?? ''
    expect(await call({}, { deadlineMs: 20_000, tokenUrl })).toMatchObject(unhappy)
  })

  test.each(['grpc_proxy', 'https_proxy', 'http_proxy'])('gRPC goes through the proxy of %s', async (variable) => {
    expect(await call({ ...trusting(), [variable]: proxy.url })).toEqual({ isActive: true })
    expect(proxy.seen).toEqual([tunnel()])
  })

  test.each<[string, Record<string, string>, MessagingOptions]>([
    ['no_proxy', { no_proxy: 'localhost' }, {}],
    ['no_grpc_proxy', { no_grpc_proxy: 'localhost' }, {}],
    ['the option grpcChannelOptions', {}, { grpcChannelOptions: { 'grpc.enable_http_proxy': 0 } }],
  ])('and past it with %s', async (_name, env, options) => {
    expect(await call({ ...trusting(), grpc_proxy: proxy.url, ...env }, options)).toEqual({ isActive: true })
    expect(proxy.seen).toEqual([])
  })

  test('plaintext on this machine never goes to a proxy, whatever is set', async () => {
    const plain = { apiUrl: sandbox.pcs?.prefixUrl ?? '', tokenUrl: sandbox.pcs?.tokenUrl ?? '' }
    const options = { ...plain, grpcChannelOptions: { 'grpc.enable_http_proxy': 1 } }
    expect(await call({ grpc_proxy: proxy.url, http_proxy: proxy.url }, options)).toEqual({ isActive: true })
    expect(proxy.seen).toEqual([])
  })

  test('the token request goes through it by NODE_USE_ENV_PROXY, where Node knows that', async () => {
    const env = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy.url }
    expect(await call({ ...trusting(), ...env })).toEqual({ isActive: true })
    expect(proxy.seen).toEqual(NODE_KNOWS_PROXIES ? [`CONNECT localhost:${pas.port}`] : [])
  })

  test('a proxy set with setGlobalDispatcher is asked; what undici puts there by itself is not', async () => {
    // Jest has a global object of its own, which Node's fetch does not look at.
    const preload = (name: string): Record<string, string> => {
      const dispatcher = `new (class ${name} { dispatch() { throw new Error('asked') } })()`
      const symbols = [1, 2].map(
        (version) => `globalThis[Symbol.for('undici.globalDispatcher.${version}')] = ${dispatcher}`,
      )
      return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(symbols.join(';'))}` }
    }
    expect(await call({ ...trusting(), ...preload('Agent') })).toEqual({ isActive: true })
    const refused = await call({ ...trusting(), ...preload('ProxyAgent') }, { deadlineMs: 10_000 })
    expect(refused).toMatchObject({ code: 'messaging_unavailable' })
  })

  test('and by the option fetch on every Node, with a certificate of its own', async () => {
    const messaging = createMessaging({
      apiUrl: sandbox.pcs?.url ?? '',
      tokenUrl: `https://localhost:${pas.port}/oauth/token`,
      fetch: fetchThrough(proxy, TEST_CERTIFICATE),
      ...CREDENTIALS,
    })
    try {
      expect((await messaging.app.stats()).isActive).toBe(true)
      expect(proxy.seen).toEqual([`CONNECT localhost:${pas.port}`])
    } finally {
      await messaging.close()
    }
  })
})

test('every option of the installed grpc-js’s channel can be set, is ours, or is a server’s', () => {
  const require = createRequire(import.meta.url)
  const { recognizedOptions } = require('@grpc/grpc-js/build/src/channel-options.js') as {
    recognizedOptions: Record<string, true>
  }
  const servers = [
    'grpc.max_connection_age_ms',
    'grpc.max_connection_age_grace_ms',
    'grpc.server_call_metric_recording',
  ]
  const known = [...Object.keys(CHANNEL_OPTIONS), ...Object.keys(RESERVED_CHANNEL_OPTIONS), ...servers]
  expect(Object.keys(recognizedOptions).filter((name) => !known.includes(name))).toEqual([
    'grpc.lb.ring_hash.ring_size_cap',
  ])
  expect(known.filter((name) => !Object.hasOwn(recognizedOptions, name))).toEqual([])
})
