import { Buffer } from 'node:buffer'
import { trimEndOf } from '../lib/trim-end.js'
import type { Faults } from './environment-variables.js'
import type { VaultKey } from './options.js'

const KEYGEN = 'make one with: npx express-ppoppo keygen'
const MIN_SECRET_LENGTH = 32
const MIN_VARIETY = 8
/** Fewer characters besides well-known words make a secret guessable. */
const MIN_OWN_LETTERS = 12
const KEY_BYTES = 32

/** What people leave unchanged from examples. Compared by letters and digits only, in lower case. */
const WELL_KNOWN = [
  'changeme',
  'changethis',
  'replaceme',
  'replacethis',
  'keyboardcat',
  'placeholder',
  'insecure',
  'password',
  'yoursecret',
  'mysecret',
  'supersecret',
  'topsecret',
  'secretkey',
  'secrethere',
  'sessionsecret',
  'developmentonly',
  'loremipsum',
  '12345678',
  'abcdefgh',
  'qwertyui',
]

/** Reports a secret that could be guessed: a fault in production, a warning in development. */
export type ReportWeak = (option: 'sessionSecret' | 'vaultKeys', problem: string) => void

/** Secrets that sign the session cookie: each 32 characters or more, and hard to guess. The first signs. */
export function parseSessionSecrets(value: unknown, faults: Faults, report: ReportWeak): readonly string[] | undefined {
  const entries = toEntries('sessionSecret', value, faults)
  entries?.forEach((entry, index) => {
    const problem =
      entry.length < MIN_SECRET_LENGTH
        ? `must have ${MIN_SECRET_LENGTH} characters or more`
        : isDefault(entry) && 'looks like a default from an example'
    if (problem) faults.add('sessionSecret', `${place(index, entries)}${problem}; ${KEYGEN}`)
    else if (new Set(entry).size < MIN_VARIETY || isRepeated([...entry]))
      report('sessionSecret', `${place(index, entries)}is too easy to guess: it repeats itself; ${KEYGEN}`)
  })
  if (entries !== undefined && new Set(entries).size < entries.length)
    faults.add('sessionSecret', 'contains the same secret twice')
  return entries
}

/** Vault keys, `id:base64` of 32 random bytes each. The first encrypts, all decrypt. */
export function parseVaultKeys(value: unknown, faults: Faults, report: ReportWeak): readonly VaultKey[] | undefined {
  const entries = toEntries('vaultKeys', value, faults)
  if (entries === undefined) return undefined
  const keys = entries.flatMap((entry, index) => {
    const key = parseVaultKey(entry)
    if (typeof key === 'string') {
      faults.add('vaultKeys', `${place(index, entries)}${key}; ${KEYGEN}`)
      return []
    }
    const weakness = keyWeakness(key.secret)
    if (weakness !== undefined) report('vaultKeys', `${place(index, entries)}${weakness}; ${KEYGEN}`)
    return [key]
  })
  if (new Set(keys.map((key) => key.id)).size < keys.length)
    faults.add('vaultKeys', 'uses an id twice; each key needs its own')
  if (new Set(keys.map((key) => key.secret.toString('hex'))).size < keys.length) {
    faults.add('vaultKeys', 'contains the same key under two ids')
  }
  return keys
}

/** Adds a fault if an option that production requires is missing. */
export function requireInProduction(option: 'sessionSecret' | 'vaultKeys', value: unknown, faults: Faults): void {
  if (value === undefined) faults.addMissing(option, `is required in production; ${KEYGEN}`)
}

function toEntries(option: string, value: unknown, faults: Faults): readonly string[] | undefined {
  if (value === undefined) return undefined
  const entries: unknown[] = Array.isArray(value) ? value : [value]
  if (entries.length > 0 && entries.every((entry) => typeof entry === 'string' && entry !== ''))
    return entries as string[]
  return faults.add(option, 'must be a non-empty string or a list of non-empty strings')
}

function place(index: number, entries: readonly string[]): string {
  return entries.length === 1 ? '' : `entry ${index + 1} `
}

/** Whether it contains little more than well-known words. */
function isDefault(secret: string): boolean {
  const letters = secret.toLowerCase().replace(/[^a-z0-9]/g, '')
  const rest = WELL_KNOWN.reduce((text, known) => text.replaceAll(known, ''), letters)
  return rest !== letters && rest.length < MIN_OWN_LETTERS
}

/** The key, or what is wrong with it. */
function parseVaultKey(entry: string): VaultKey | string {
  const [, id, text] = /^([A-Za-z0-9_-]{1,64}):(.+)$/s.exec(entry) ?? []
  if (id === undefined || text === undefined) return 'must be id:base64, with only letters, digits, _ and - in the id'
  const secret = Buffer.from(text, /[-_]/.test(text) ? 'base64url' : 'base64')
  const spellings = [secret.toString('base64'), trimEndOf(secret.toString('base64'), '='), secret.toString('base64url')]
  // A decoder that skips invalid characters would turn a damaged key into another, weaker one.
  if (!spellings.includes(text)) return 'is not valid base64'
  if (secret.length !== KEY_BYTES) return `must be base64 of exactly ${KEY_BYTES} bytes (not hex, not a passphrase)`
  return { id, secret }
}

/** Random keys fail each of these checks less than once in 10^12. */
function keyWeakness(bytes: Buffer): string | undefined {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'is typed text, not 32 random bytes'
  if (new Set(bytes).size < MIN_VARIETY || isRepeated([...bytes]) || isStaircase(bytes)) return 'is not random'
  return undefined
}

/** Whether it is a shorter sequence repeated. */
function isRepeated(items: readonly (string | number)[]): boolean {
  for (let period = 1; period <= items.length / 2; period++) {
    if (items.every((item, index) => index < period || item === items[index - period])) return true
  }
  return false
}

/** 00 01 02 03 ...: a typical test vector. */
function isStaircase(bytes: Buffer): boolean {
  const step = ((bytes[1] ?? 0) - (bytes[0] ?? 0)) & 0xff
  return bytes.every((byte, index) => index === 0 || ((byte - (bytes[index - 1] ?? 0)) & 0xff) === step)
}
