/** Longer details are not looked into. */
const MOST_BYTES = 16_384
const RETRY_INFO = /(^|\/)google\.rpc\.RetryInfo$/

interface Field {
  readonly number: number
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array
  /** Of a varint. */
  readonly value: number
}

/**
 * The `google.rpc.RetryInfo` in a `google.rpc.Status` (the trailer `grpc-status-details-bin`), read by hand: it is three
 * messages deep, and needs no descriptor.
 * @returns `undefined` where there is none; without `delayMs` where it names no time
 */
export function readRetryInfo(status: Uint8Array): { readonly delayMs?: number } | undefined {
  if (status.length > MOST_BYTES) return undefined
  try {
    for (const { bytes: any } of fields(status, 3)) {
      const [typeUrl] = fields(any, 1)
      if (!typeUrl || !RETRY_INFO.test(Buffer.from(typeUrl.bytes).toString())) continue
      const [info] = fields(any, 2)
      const [delay] = info ? fields(info.bytes, 1) : []
      if (!delay) return {}
      const [seconds, nanos] = [1, 2].map((number) => [...fields(delay.bytes, number)].at(-1)?.value ?? 0)
      const delayMs = Math.ceil((seconds ?? 0) * 1_000 + (nanos ?? 0) / 1e6)
      // A negative duration is a number of 64 bits, which is far above all that make sense.
      return Number.isSafeInteger(delayMs) ? { delayMs } : {}
    }
  } catch {
    // Cut short, or something else: then it says nothing.
  }
  return undefined
}

/** The fields of a message with one number. @throws RangeError where the bytes are none */
function* fields(message: Uint8Array, wanted: number): Generator<Field> {
  const reader = { message, at: 0 }
  while (reader.at < message.length) {
    const tag = readVarint(reader)
    const field = { number: Math.floor(tag / 8), ...readValue(reader, tag % 8) }
    if (field.number === wanted) yield field
  }
}

interface Reader {
  readonly message: Uint8Array
  at: number
}

/** @param wireType 0 varint, 1 and 5 fixed, 2 length-delimited; groups are not read */
function readValue(reader: Reader, wireType: number): Omit<Field, 'number'> {
  const none = { bytes: new Uint8Array(0), value: 0 }
  if (wireType === 0) return { ...none, value: readVarint(reader) }
  const length = wireType === 2 ? readVarint(reader) : wireType === 1 ? 8 : wireType === 5 ? 4 : Number.NaN
  const end = reader.at + length
  if (!(end <= reader.message.length)) throw new RangeError('cut short')
  const bytes = reader.message.subarray(reader.at, end)
  reader.at = end
  return { ...none, bytes }
}

function readVarint(reader: Reader): number {
  let value = 0
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.message[reader.at]
    if (byte === undefined) break
    reader.at += 1
    value += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) return value
  }
  throw new RangeError('no varint')
}
