import { PpoppoError } from '../../errors.js'
import { CallFailed } from '../call/failure.js'
import { CODE } from '../call/status.js'
import { createModel, parseFile, type WireFile } from '../descriptor/model.js'
import { CONTRACTS, contractAmong, WANTED_SERVICES } from '../wire/rpcs.js'
import type { ReflectionAnswer, ReflectionCall, ReflectionQuestion } from './reflection-call.js'

const MAX_BYTES = 4 * 1024 * 1024
const MAX_FILES = 200
const PACKAGES = CONTRACTS.map(({ packageName }) => packageName).join(' or ')

interface Pulled {
  readonly bytes: Buffer
  readonly file: WireFile
}

/**
 * Fetches the files of the Messaging API's services and all their dependencies: what a file imports or, if the server reports
 * no imports, what it uses. Sorted so that dependencies come first.
 */
export async function collectFiles(call: ReflectionCall): Promise<readonly Buffer[]> {
  const pulled = new Map<string, Pulled>()
  for (const service of await listServices(call)) {
    const answer = await call.ask({ file_containing_symbol: service })
    if (answer.error_response) throw unanswered(answer, service)
    add(pulled, answer)
  }
  const asked = new Set<string>()
  for (let next = missing(pulled, asked); next !== undefined; next = missing(pulled, asked)) {
    asked.add(key(next))
    const answer = await call.ask(next)
    // Not fatal yet: a missing file may not be needed.
    if (!answer.error_response) add(pulled, answer)
  }
  const [lacking] = createModel([...pulled.values()].map(({ file }) => file)).missing
  if (lacking !== undefined) throw invalid(`the server does not describe ${shown(lacking)}, which its services use`)
  return sorted(pulled)
}

async function listServices(call: ReflectionCall): Promise<readonly string[]> {
  const answer = await call.ask({ list_services: '*' })
  if (answer.error_response) throw unanswered(answer, 'its services')
  const names = (answer.list_services_response?.service ?? []).flatMap(({ name }) => name ?? [])
  const wanted = names.filter((name) => CONTRACTS.some(({ packageName }) => name.startsWith(`${packageName}.`)))
  if (contractAmong(wanted) !== undefined && wanted.length <= MAX_FILES) return wanted
  const others = names.slice(0, 5).map(shown).join(', ')
  throw new PpoppoError(
    'messaging_misconfigured',
    `no service ${wanted.length > 0 ? WANTED_SERVICES : `of ${PACKAGES}`} is there, ${others === '' ? 'nor any other' : `only ${others}`}. Check that the URL is the Messaging API's, path included.`,
  )
}

function add(pulled: Map<string, Pulled>, answer: ReflectionAnswer): void {
  for (const bytes of answer.file_descriptor_response?.file_descriptor_proto ?? []) {
    const file = parse(bytes)
    const name = file.name ?? ''
    if (name !== '' && !pulled.has(name)) pulled.set(name, { bytes, file })
  }
  const size = [...pulled.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (size > MAX_BYTES || pulled.size > MAX_FILES) throw invalid('the server describes more than a descriptor may hold')
}

function parse(bytes: Buffer): WireFile {
  try {
    return parseFile(bytes)
  } catch {
    throw invalid('a file that the server sent is no FileDescriptorProto')
  }
}

/** What to fetch next: imports first, because files name them by path. */
function missing(pulled: ReadonlyMap<string, Pulled>, asked: ReadonlySet<string>): ReflectionQuestion | undefined {
  if (asked.size > MAX_FILES) throw invalid('the server describes more than a descriptor may hold')
  const files = [...pulled.values()].map(({ file }) => file)
  const imports = files
    .flatMap(({ dependency = [] }) => dependency)
    .filter((name) => !pulled.has(name))
    .map((name) => ({ file_by_filename: name }))
  const next = imports.find((question) => !asked.has(key(question)))
  if (next) return next
  const types = [...createModel(files).missing].map((name) => ({ file_containing_symbol: name }))
  return types.find((question) => !asked.has(key(question)))
}

function key(question: ReflectionQuestion): string {
  return JSON.stringify(question)
}

/** Sorts imported files before the files that import them, as protoc does. */
function sorted(pulled: ReadonlyMap<string, Pulled>): readonly Buffer[] {
  const done = new Set<Buffer>()
  const seen = new Set<string>()
  const visit = (name: string): void => {
    const found = pulled.get(name)
    if (found === undefined || seen.has(name)) return
    seen.add(name)
    for (const dependency of found.file.dependency ?? []) visit(dependency)
    done.add(found.bytes)
  }
  for (const name of pulled.keys()) visit(name)
  return [...done]
}

function unanswered({ error_response }: ReflectionAnswer, what: string): CallFailed {
  const { error_code = CODE.unknown, error_message = '' } = error_response ?? {}
  return new CallFailed({ code: error_code, details: `${shown(what)}: ${error_message}`, isFromPeer: true })
}

/** Names come from the server: only letters, digits and dots are shown on a terminal. */
function shown(name: string): string {
  return name.slice(0, 100).replace(/[^\w .-]/g, '?')
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('messaging_response_invalid', `${problem}. Ask Ppoppo for external.proto instead.`)
}
