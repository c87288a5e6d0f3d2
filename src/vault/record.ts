import type { PpoppoUser } from '../config/options.js'
import { deepFreeze } from '../lib/deep-freeze.js'
import { parseJsonObject } from '../lib/guards.js'
import type { VersionedRecord } from '../store/store.js'
import type { KeyRing, SealContext } from './keyring.js'
import { readTimes, writeTimes } from './record-times.js'
import { readSecretPart, type Tokens, writeSecretPart } from './secret-part.js'

/** A sign-in as the vault knows it. All times are milliseconds since the epoch. */
export interface SignIn {
  /** `<tag>.<random>` */
  readonly id: string
  readonly sub: string
  readonly ppnum: string
  readonly accountType?: string
  readonly userAgent: string
  readonly scopes: readonly string[]
  readonly createdAt: number
  readonly lastSeenAt: number
  /** Last use that moved the idle expiry. */
  readonly touchedAt: number
  /** Last time PAS confirmed it: the sign-in itself, then every refresh. */
  readonly refreshedAt: number
  readonly absoluteExpiresAt: number
  readonly tokens: Tokens
  /** What `onSignIn` returned; plain JSON data. */
  readonly account?: unknown
}

/** The person of a sign-in or a profile, as the app sees them. */
export function toPpoppoUser({ sub, ppnum, accountType }: PpoppoUser): PpoppoUser {
  return { sub, ppnum, ...(accountType === undefined ? {} : { accountType }) }
}

/** The readable part of a stored record: what a list of sign-ins shows. Unverified, unlike what {@link openRecord} gives. */
export type ClearRecord = Omit<SignIn, 'tokens' | 'account'> & {
  /** When the store drops it: the earlier of idle and absolute expiry, as configured when it was written. */
  readonly expiresAt: number
  readonly sealed: string
}

const PURPOSE = 'sign-in'

/** A record to be stored. */
export interface SealedRecord {
  readonly text: string
  /** What {@link parseRecord} reads in the text. */
  readonly clear: ClearRecord
}

/** A sign-in as one line of JSON; keys are short because every sign-in stores them in Redis memory. */
export function sealRecord(keyRing: KeyRing, signIn: SignIn, expiresAt: number): SealedRecord {
  const { tokens: _tokens, account: _account, accountType, ...shown } = signIn
  const type = accountType === '' ? undefined : accountType
  const scopes = signIn.scopes.join(' ')
  const sealed = keyRing.seal(sealContext(signIn, expiresAt), writeSecretPart(signIn))
  const text = JSON.stringify({
    s: signIn.sub,
    p: signIn.ppnum,
    t: type,
    u: signIn.userAgent === '' ? undefined : signIn.userAgent,
    g: scopes,
    d: writeTimes({ ...signIn, expiresAt }),
    z: sealed,
  })
  const clear = { ...shown, ...(type === undefined ? {} : { accountType: type }), scopes: scopes.split(' ') }
  return { text, clear: { ...clear, expiresAt, sealed } }
}

/** The readable part of a record, or `undefined` when it is not one of ours. */
export function parseRecord(id: string, record: VersionedRecord): ClearRecord | undefined {
  const parsed = parseJsonObject(record.value)
  if (!parsed) return undefined
  const { s, p, t, u = '', g, z } = parsed
  const times = readTimes(parsed)
  if (!times || ![s, p, u, g, z].every((field) => typeof field === 'string')) return undefined
  return {
    id,
    sub: String(s),
    ppnum: String(p),
    ...(typeof t === 'string' && t !== '' ? { accountType: t } : {}),
    userAgent: String(u),
    scopes: String(g).split(' '),
    ...times,
    sealed: String(z),
  }
}

/** The whole sign-in, verified as unchanged; `undefined` when it does not open. */
export function openRecord(keyRing: KeyRing, clear: ClearRecord): SignIn | undefined {
  const { sealed, expiresAt, ...rest } = clear
  const bytes = keyRing.openBytes(sealContext(rest, expiresAt), sealed)
  const secret = bytes && readSecretPart(bytes)
  return secret && { ...rest, ...secret }
}

/** What is kept in memory of a record that has opened: everything but its tokens. */
export interface OpenedRecord {
  readonly clear: ClearRecord
  readonly tokensExpireAt: number
  /** As JSON, so that each request gets its own object. */
  readonly account: string | undefined
  /** The sign-in, once somebody has asked for it; for all requests, since nobody can change it. */
  signIn?: SignIn
}

/** What to keep of a record, and of the sign-in that {@link openRecord} made of it. */
export function toOpenedRecord(clear: ClearRecord, { tokens, account }: SignIn): OpenedRecord {
  return {
    clear: deepFreeze(clear),
    tokensExpireAt: tokens.expiresAt,
    account: account === undefined ? undefined : JSON.stringify(account),
  }
}

/** The sign-in of a record that has opened before. Its tokens are decrypted again whenever they are asked for. */
export function toSignIn(keyRing: KeyRing, record: OpenedRecord): SignIn {
  record.signIn ??= sharedSignIn(keyRing, record)
  return record.signIn
}

function sharedSignIn(keyRing: KeyRing, { clear, tokensExpireAt, account }: OpenedRecord): SignIn {
  const { sealed: _, expiresAt: _expiresAt, ...shown } = clear
  const open = (): Tokens => {
    const opened = openRecord(keyRing, clear)?.tokens
    if (!opened) throw new Error('a record that opened before does not open')
    return opened
  }
  const tokens: Tokens = {
    expiresAt: tokensExpireAt,
    get accessToken() {
      return open().accessToken
    },
    get refreshToken() {
      return open().refreshToken
    },
  }
  return Object.freeze({
    ...shown,
    tokens,
    get account(): unknown {
      return account === undefined ? undefined : JSON.parse(account)
    },
  })
}

/**
 * The whole readable part is authenticated, so that nobody can edit in the store who signed in, when, for how long and
 * with which scopes. This costs nothing extra, because every write seals the record again.
 */
function sealContext(record: Omit<SignIn, 'tokens' | 'account'>, expiresAt: number): SealContext {
  const { id, sub, ppnum, accountType, userAgent, scopes } = record
  const { createdAt, absoluteExpiresAt, lastSeenAt, touchedAt, refreshedAt } = record
  const times = [createdAt, absoluteExpiresAt, lastSeenAt, touchedAt, refreshedAt, expiresAt].map(String)
  const binding = [sub, ppnum, accountType ?? '', scopes.join(' '), userAgent, ...times]
  return { purpose: PURPOSE, salt: id, binding }
}
