import type { Request } from 'express'
import { isPlainObject, parseJsonObject } from '../lib/guards.js'

/** Why a body was not understood, by HTTP status. */
export type BodyFault = 400 | 413 | 415

/** The fields of a body by name, or why there are none. */
export type ParsedBody = Readonly<Record<string, unknown>> | BodyFault

/** Whether the request has a body (RFC 9112 6.3). */
export function hasBody(req: Request): boolean {
  if (req.headers['transfer-encoding'] !== undefined) return true
  const length = req.headers['content-length']
  return length !== undefined && Number(length) !== 0
}

/**
 * The fields that a body parser of the app has already read.
 * @returns a fault if it did not parse the body: a parser that skips a body also leaves an empty object
 */
export function judgeAppBody(req: Request): ParsedBody {
  const body: unknown = req.body
  if (typeof body === 'string' || Buffer.isBuffer(body)) return parseBody(req.get('content-type'), Buffer.from(body))
  if (body === undefined || body === null) return 415
  if (!isPlainObject(body)) return 400
  const isEmpty = Object.keys(body).length === 0
  // `{}` is two bytes. Multer makes an object without a prototype, even from a form without fields.
  const isOfNothing = Number(req.get('content-length')) <= 2 || Object.getPrototypeOf(body) === null
  return isEmpty && !isOfNothing ? 415 : body
}

/** The fields of a form or of a JSON object; all values of a field that occurs more than once. */
export function parseBody(contentType: string | undefined, bytes: Buffer): ParsedBody {
  if (bytes.length === 0) return {}
  const [name = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((one) => one.startsWith('charset='))?.slice('charset='.length)
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset)) return 415
  if (name === 'application/x-www-form-urlencoded') return parseForm(bytes.toString())
  return /^application\/(?:[\w.-]+\+)?json$/.test(name) ? parseJson(bytes) : 415
}

function parseForm(text: string): ParsedBody {
  // URLSearchParams keeps a broken escape as it is, which would give a wrong name or value.
  if (/%(?![0-9a-f]{2})/i.test(text)) return 400
  const fields = new URLSearchParams(text)
  const names = new Set(fields.keys())
  const entries = [...names].map((name) => {
    const values = fields.getAll(name)
    return [name, values.length === 1 ? values[0] : values] as const
  })
  return Object.fromEntries(entries)
}

function parseJson(bytes: Buffer): ParsedBody {
  try {
    return parseJsonObject(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) ?? 400
  } catch {
    return 400
  }
}
