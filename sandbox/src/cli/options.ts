import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseSeed, type Seed } from '../control/seed.js'
import type { FaultRule } from '../faults/fault.js'
import { errorCodeOf } from '../lib/error-code.js'
import type { PcsFaultRule } from '../pcs/faults/pcs-fault.js'
import { PCS_CONTRACTS } from '../pcs/wire/contract.js'
import type { SandboxOptions } from '../start-sandbox.js'
import { parseClients } from '../state/clients.js'
import { parsePeople } from '../state/people.js'
import { parseFaultFlags } from './fault-flag.js'
import { UsageError } from './usage-error.js'

/** What a command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'start'
      readonly options: SandboxOptions
      readonly faults: readonly FaultRule[]
      readonly pcsFaults: readonly PcsFaultRule[]
      readonly seed?: Seed
      readonly opensInbox: boolean
    }

const FLAGS = {
  'pas-port': { type: 'string' },
  'pcs-port': { type: 'string' },
  'pcs-contract': { type: 'string' },
  'no-pcs': { type: 'boolean' },
  state: { type: 'string' },
  templates: { type: 'string' },
  seed: { type: 'string' },
  open: { type: 'boolean' },
  host: { type: 'string' },
  users: { type: 'string' },
  clients: { type: 'string' },
  'access-token-ttl': { type: 'string' },
  'auto-sign-in': { type: 'string' },
  fault: { type: 'string', multiple: true },
  'announce-end-session': { type: 'boolean' },
  'announce-revocation': { type: 'boolean' },
  'id-token-hash': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/**
 * Reads a command line and the files it names.
 * @throws UsageError saying which flag is wrong and what it takes
 */
export function parseCommandLine(args: readonly string[]): Command {
  const flags = parseFlags(args)
  if (flags.help === true) return { kind: 'help' }
  if (flags.version === true) return { kind: 'version' }
  if (flags['no-pcs'] === true) assertNothingForPcs(flags)
  const given = {
    pasPort: wholeNumber('--pas-port', flags['pas-port'], 0, 65_535),
    pcsPort: flags['no-pcs'] === true ? undefined : pcsPortFrom(flags),
    pcsContract: oneOf('--pcs-contract', flags['pcs-contract'], PCS_CONTRACTS),
    stateFile: flags.state,
    // Checked where the messaging service starts: gRPC is loaded there, and not for a word of help.
    templates: fromFile('--templates', flags.templates, (input) => input as SandboxOptions['templates']),
    accessTokenTtlSeconds: wholeNumber('--access-token-ttl', flags['access-token-ttl'], 1, 31_536_000),
    host: flags.host,
    users: fromFile('--users', flags.users, parsePeople),
    clients: fromFile('--clients', flags.clients, parseClients),
    autoSignIn: flags['auto-sign-in'],
    announceEndSession: flags['announce-end-session'],
    announceRevocation: flags['announce-revocation'],
    idTokenHash: oneOf('--id-token-hash', flags['id-token-hash'], ['sha512', 'sha256'] as const),
  }
  const { faults, pcsFaults } = parseFaultFlags(flags.fault ?? [])
  if (given.pcsPort === undefined && pcsFaults.length > 0) {
    throw new UsageError('--fault for a method is for the messaging service, which --no-pcs leaves out')
  }
  const seed = fromFile('--seed', flags.seed, parseSeed)
  const opensInbox = flags.open === true
  return { kind: 'start', options: withoutUndefined(given), faults, pcsFaults, ...(seed && { seed }), opensInbox }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: false }).values
  } catch (error) {
    if (errorCodeOf(error)?.startsWith('ERR_PARSE_ARGS_') !== true) throw error
    const [complaint] = (error as Error).message.split('. ')
    throw new UsageError(`${complaint}; --help lists what there is`)
  }
}

/** A second sandbox, with its accounts service moved, must not fail because of the first one's messaging service. */
function pcsPortFrom(flags: { 'pas-port'?: string; 'pcs-port'?: string }): number | undefined {
  const isMoved = flags['pas-port'] !== undefined && flags['pas-port'] !== '3100'
  return wholeNumber('--pcs-port', flags['pcs-port'], 0, 65_535) ?? (isMoved ? 0 : 3203)
}

function assertNothingForPcs(flags: {
  'pcs-port'?: string
  'pcs-contract'?: string
  state?: string
  templates?: string
}): void {
  const flag = (['pcs-port', 'pcs-contract', 'state', 'templates'] as const).find((name) => flags[name] !== undefined)
  if (flag !== undefined) throw new UsageError(`--${flag} is for the messaging service, which --no-pcs leaves out`)
}

function wholeNumber(flag: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new UsageError(`${flag} must be a whole number from ${min} to ${max}`)
}

function oneOf<Word extends string>(flag: string, text: string | undefined, words: readonly Word[]): Word | undefined {
  const word = words.find((known) => known === text)
  if (text === undefined || word !== undefined) return word
  throw new UsageError(`${flag} must be one of ${words.join(', ')}`)
}

function fromFile<T>(flag: string, path: string | undefined, parse: (input: unknown) => T): T | undefined {
  if (path === undefined) return undefined
  const text = readText(flag, path)
  try {
    return parse(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${flag} ${path}: not valid JSON (${error.message})`)
    if (error instanceof TypeError) throw new UsageError(`${flag} ${path}: ${error.message}`)
    throw error
  }
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(
      `${flag} ${path}: the file cannot be read (${errorCodeOf(error)}); give the path of a JSON file`,
    )
  }
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
