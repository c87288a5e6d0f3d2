import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Grpc from '@grpc/grpc-js'
import type * as Reflection from '@grpc/reflection'
import { grpc, loader, OWN_PROTO } from './fake-pcs.js'

// A dependency of the sandbox's, where it may lie.
const require = createRequire(new URL('../../../sandbox/package.json', import.meta.url))
const { ReflectionService } = require('@grpc/reflection') as typeof Reflection

/** What a server of another definition was sent, decoded by that one. */
export interface SeenRequest {
  readonly path: string
  readonly request: Readonly<Record<string, unknown>>
  readonly token: string
}

export interface ReflectingPcs {
  readonly url: string
  readonly seen: SeenRequest[]
  /** By method; `{}` where there is none. */
  answers: Record<string, object>
  close(): void
}

/** How it differs. */
export interface ReflectingOptions {
  readonly prefix?: string
  /** Which reflection is there. @default 'v1' */
  readonly version?: 'v1' | 'v1alpha' | 'none'
  /** Reflection and calls without this token are refused. */
  readonly token?: string
}

/** Our proto as a text, changed, in a file of its own; the folder goes with `dispose`. */
export function writeProto(change: (text: string) => string): { readonly file: string; dispose(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-proto-'))
  const file = join(folder, 'external.proto')
  writeFileSync(file, change(readFileSync(OWN_PROTO, 'utf8')))
  return { file, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Our proto by the names of the vendor's newest contract. */
export function renamed(text: string): string {
  return text
    .replace('package chat.external', 'package pcs.external.v1')
    .replaceAll(/service External(Message|Template|App)Service/g, 'service $1Service')
}

/** The same, and every number of a field is another, and so is that of each value of an enum but 0. */
export function permuted(text: string): string {
  return renamed(text).replace(/ = ([1-9]\d*);/g, (_, number: string) => ` = ${Number(number) * 7 + 20};`)
}

/** The newest contract as the vendor lays it out: a root, and in it a file for each service. @returns the root */
export function writeFourFiles(change: (text: string) => string = renamed): {
  readonly root: string
  readonly files: readonly string[]
  dispose(): void
} {
  const root = mkdtempSync(join(tmpdir(), 'ppoppo-protos-'))
  const folder = join(root, 'pcs', 'external', 'v1')
  mkdirSync(folder, { recursive: true })
  const text = change(readFileSync(OWN_PROTO, 'utf8'))
  const head = text.slice(text.indexOf('syntax ='), text.indexOf('// ---- Sending'))
  const sections = text.slice(text.indexOf('// ---- Sending')).split(/(?=^\/\/ ---- )/m)
  const names = ['messages.proto', 'templates.proto', 'apps.proto', 'channels.proto']
  const files = names.map((name, index) => {
    // Templates need nothing of the others; the app's service asks for nothing of the messages'.
    const imports = name === 'apps.proto' ? 'import "pcs/external/v1/templates.proto";\n' : ''
    writeFileSync(join(folder, name), `${head}${imports}${sections[index] ?? ''}`)
    return join(folder, name)
  })
  return { root, files, dispose: () => rmSync(root, { recursive: true, force: true }) }
}

/** A PCS of any proto on a free port, that answers as it is told and describes itself. */
export async function startReflectingPcs(proto: string, options: ReflectingOptions = {}): Promise<ReflectingPcs> {
  const { prefix = '', version = 'v1', token } = options
  const definition = loader.loadSync(proto, { keepCase: true, longs: String, enums: String })
  const server = new grpc.Server()
  const pcs: ReflectingPcs = { url: '', seen: [], answers: {}, close: () => server.forceShutdown() }
  const isRefused = (call: { readonly metadata: Grpc.Metadata }): boolean =>
    token !== undefined && call.metadata.get('authorization')[0] !== `Bearer ${token}`

  for (const service of Object.values(definition)) {
    if ('format' in service) continue
    for (const [name, method] of Object.entries(service)) {
      if (method.responseStream) continue
      const reply: Grpc.handleUnaryCall<object, object> = (call, done) => {
        const authorization = String(call.metadata.get('authorization')[0] ?? '')
        pcs.seen.push({ path: call.getPath(), request: { ...call.request }, token: authorization })
        done(null, pcs.answers[name] ?? {})
      }
      server.register(`${prefix}${method.path}`, reply, method.responseSerialize, method.requestDeserialize, 'unary')
    }
  }
  if (version !== 'none') {
    const reflection = new ReflectionService(definition)
    addUnder(server, prefix, version, reflection, isRefused)
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return Object.assign(pcs, { url: `http://127.0.0.1:${port}${prefix}` })
}

type AnyCall = { readonly metadata: Grpc.Metadata; emit(event: string, error: object): boolean }

/** Lets reflection add itself to something that puts it where it is wanted. */
function addUnder(
  server: Grpc.Server,
  prefix: string,
  version: 'v1' | 'v1alpha',
  reflection: Reflection.ReflectionService,
  isRefused: (call: AnyCall) => boolean,
): void {
  const place = {
    addService(service: Grpc.ServiceDefinition, methods: Record<string, (call: AnyCall) => void>) {
      for (const [name, method] of Object.entries(service)) {
        if (!method.path.includes(`grpc.reflection.${version}.`)) continue
        const answer = (call: AnyCall): void => {
          if (!isRefused(call)) return methods[name]?.(call)
          call.emit('error', { code: grpc.status.UNAUTHENTICATED, details: 'no token' })
        }
        server.register(
          `${prefix}${method.path}`,
          answer as unknown as Grpc.UntypedHandleCall,
          method.responseSerialize,
          method.requestDeserialize,
          'bidi',
        )
      }
    },
  }
  reflection.addToServer(place as unknown as Grpc.Server)
}
