import { status } from '@grpc/grpc-js'
import { isJsonObject, type JsonObject } from '../../lib/json.js'
import type { PcsFault, PcsFaultKind } from './pcs-fault.js'

type FieldCheck = readonly [wants: string, accepts: (value: unknown) => boolean]

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isMilliseconds = (value: unknown): boolean => isCount(value) && Number(value) < 2 ** 31

/** A trailer's name and value as HTTP/2 takes them; grpc-js throws in the middle of a call for any other. */
const isTrailer = ([name, value]: readonly [string, unknown]): boolean =>
  /^[0-9a-z_.-]+$/.test(name) && !name.endsWith('-bin') && typeof value === 'string' && /^[ -~]*$/.test(value)

export const FAULT_FIELDS: { readonly [F in keyof Omit<PcsFault, 'kind'>]-?: FieldCheck } = {
  code: ['a gRPC status other than OK, by number or name', (value) => statusOf(value) !== undefined],
  details: ['a text', (value) => typeof value === 'string'],
  trailers: [
    'an object of lower-case names and printable texts',
    (value) => isJsonObject(value) && Object.entries(value).every(isTrailer),
  ],
  delayMs: ['a whole number of milliseconds', isMilliseconds],
  rstCode: ['an HTTP/2 error code from 0 to 13', (value) => isCount(value) && Number(value) <= 13],
  events: ['a whole number', isCount],
  everyMs: ['a positive whole number of milliseconds', (value) => isMilliseconds(value) && Number(value) > 0],
  afterProcessing: ['true or false', (value) => typeof value === 'boolean'],
}

const REQUIRED: { readonly [K in PcsFaultKind]?: keyof PcsFault } = {
  status: 'code',
  delay: 'delayMs',
  'end-after': 'events',
  'end-every': 'everyMs',
}

/** The complaint about a required field of a kind that is missing. */
export function missingField(kind: PcsFaultKind, fault: JsonObject): string | undefined {
  const field = REQUIRED[kind]
  if (field === undefined || field === 'kind' || fault[field] !== undefined) return undefined
  return `"fault.${field}" is missing: kind "${kind}" needs ${FAULT_FIELDS[field][0]}`
}

/** The number of a gRPC status given by number or name; not of OK. */
export function statusOf(value: unknown): number | undefined {
  // The enum of grpc-js maps both ways.
  const codes = Object.entries(status).filter(([, code]) => typeof code === 'number' && code > 0)
  const found = codes.find(([name, code]) => value === name || value === code)?.[1]
  return typeof found === 'number' ? found : undefined
}
