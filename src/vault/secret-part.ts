import { parseJsonObject } from '../lib/guards.js'
import { packToken, splitLength, unpackToken, withLength } from './pack-token.js'

/** What PAS issued. Always stored sealed. */
export interface Tokens {
  readonly accessToken: string
  readonly expiresAt: number
  readonly refreshToken?: string | undefined
}

/** The part of a sign-in that is sealed. */
export interface SecretPart {
  readonly tokens: Tokens
  readonly account?: unknown
}

/** The first byte. Before version 0.2 it was JSON, which begins with `{`. */
const FORMAT = 1
const FORMER_FORMAT = 0x7b
const HEAD_BYTES = 9

/** As bytes: format, expiry of the access token, its length and itself, those of the refresh token, the account as JSON. */
export function writeSecretPart({ tokens, account }: SecretPart): Buffer {
  const { accessToken, expiresAt, refreshToken } = tokens
  const head = Buffer.alloc(HEAD_BYTES, FORMAT)
  head.writeDoubleBE(expiresAt, 1)
  const refresh = refreshToken === undefined ? Buffer.alloc(0) : packToken(refreshToken)
  const accountText = account === undefined ? '' : (JSON.stringify(account) ?? '')
  return Buffer.concat([head, withLength(packToken(accessToken)), withLength(refresh), Buffer.from(accountText)])
}

/** What {@link writeSecretPart}, or a version before 0.2, has written; `undefined` for anything else. */
export function readSecretPart(bytes: Buffer): SecretPart | undefined {
  if (bytes[0] === FORMER_FORMAT) return readFormer(bytes.toString('utf8'))
  if (bytes[0] !== FORMAT || bytes.length < HEAD_BYTES) return undefined
  const access = splitLength(bytes.subarray(HEAD_BYTES))
  const refresh = access && splitLength(access.rest)
  const accessToken = access && unpackToken(access.bytes)
  if (!refresh || accessToken === undefined) return undefined
  const refreshToken = refresh.bytes.length === 0 ? undefined : unpackToken(refresh.bytes)
  return toSecretPart({ accessToken, expiresAt: bytes.readDoubleBE(1), refreshToken }, refresh.rest.toString('utf8'))
}

function toSecretPart({ refreshToken, ...tokens }: Tokens, account: string): SecretPart {
  return {
    tokens: { ...tokens, ...(refreshToken === undefined ? {} : { refreshToken }) },
    ...(account === '' ? {} : { account: JSON.parse(account) as unknown }),
  }
}

function readFormer(text: string): SecretPart | undefined {
  const { a: accessToken, e: expiresAt, r: refreshToken, o: account } = parseJsonObject(text) ?? {}
  if (typeof accessToken !== 'string' || typeof expiresAt !== 'number') return undefined
  return {
    tokens: { accessToken, expiresAt, ...(typeof refreshToken === 'string' ? { refreshToken } : {}) },
    ...(account === undefined ? {} : { account }),
  }
}
