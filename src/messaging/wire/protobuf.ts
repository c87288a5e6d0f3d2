/** Wire types (protobuf.dev/programming-guides/encoding). */
const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5
/** Texts of up to this length have less than 128 bytes in UTF-8, so that their length is one byte. */
const SHORT = 42
/** Messages of up to so many bytes are turned into one text, of which their fields are slices. */
const SLICED = 512

/**
 * Writes protobuf messages field by field into one buffer, without an object in between. Every method writes one field, by
 * its number in the descriptor.
 *
 * @example
 * const writer = new ProtoWriter()
 * writer.string(1, 'tpl_1')
 * const recipient = writer.begin(2)
 * writer.string(1, '12312345678')
 * writer.end(recipient)
 * const bytes = writer.finish()
 */
export class ProtoWriter {
  #bytes: Buffer
  #at = 0

  /** @param size of the message in bytes, as a guess */
  constructor(size = 256) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  /** Text without unpaired surrogates. */
  string(field: number, text: string): void {
    this.#tag(field, DELIMITED)
    if (text.length > SHORT) return this.#longString(text)
    this.#reserve(1 + 3 * SHORT)
    const bytes = this.#bytes
    const start = this.#at + 1
    let at = start
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) {
        at = start + bytes.write(text, start)
        break
      }
      bytes[at++] = code
    }
    bytes[start - 1] = at - start
    this.#at = at
  }

  bool(field: number, value: boolean): void {
    this.uint32(field, value ? 1 : 0)
  }

  /** A value of an enum, or of any integer type without zigzag, from 0 to 2^31 - 1. */
  uint32(field: number, value: number): void {
    this.#tag(field, VARINT)
    this.#reserve(5)
    this.#varint(value)
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64)
    this.#reserve(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  /** Begins a message in a field. @returns what {@link end} takes after the fields of that message */
  begin(field: number): number {
    this.#tag(field, DELIMITED)
    this.#reserve(1)
    this.#at += 1
    return this.#at
  }

  /** Ends a message in a field. @param start what {@link begin} returned */
  end(start: number): void {
    const size = this.#at - start
    let extra = 0
    for (let rest = size >>> 7; rest > 0; rest >>>= 7) extra += 1
    if (extra > 0) {
      this.#reserve(extra)
      this.#bytes.copyWithin(start + extra, start, this.#at)
    }
    this.#at = start - 1
    this.#varint(size)
    this.#at += size
  }

  /** The message. The writer must not be used after that. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  #longString(text: string): void {
    const size = Buffer.byteLength(text)
    this.#reserve(5 + size)
    this.#varint(size)
    this.#at += this.#bytes.write(text, this.#at)
  }

  #tag(field: number, wireType: number): void {
    this.#reserve(5)
    this.#varint((field << 3) | wireType)
  }

  #varint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * this.#bytes.length + size)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

/** A message is not what a {@link ProtoReader} was asked to read: read it by its descriptor instead, `method.deserialize`. */
export class Unexpected extends Error {}

/**
 * Reads a protobuf message field by field, without an object in between. It reads what a server that keeps to the descriptor
 * sends, and throws {@link Unexpected} for anything else: a wire type that is not the expected one, a number of more than 32
 * bits, groups, an end within a field. Then `method.deserialize` decides, so that odd messages have one meaning.
 *
 * @example
 * const reader = new ProtoReader(bytes)
 * for (let field = reader.next(); field !== 0; field = reader.next()) {
 *   if (field === numbers.event_id) eventId = reader.string()
 *   else if (field === numbers.recipient) {
 *     const outer = reader.enter()
 *     for (let inner = reader.next(); inner !== 0; inner = reader.next()) { ... }
 *     reader.leave(outer)
 *   } else reader.skip()
 * }
 */
export class ProtoReader {
  readonly #bytes: Buffer
  #at = 0
  #end: number
  #wireType = 0
  #ascii: string | undefined

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.#end = bytes.length
  }

  /** The number of the next field, to be read or skipped; 0 at the end of the message. */
  next(): number {
    if (this.#at >= this.#end) return 0
    const tag = this.#varint()
    this.#wireType = tag & 7
    if (tag < 8) throw new Unexpected()
    return tag >>> 3
  }

  string(): string {
    const start = this.#delimited()
    const [bytes, end] = [this.#bytes, this.#at]
    for (let at = start; at < end; at++) {
      if ((bytes[at] as number) > 0x7f) return bytes.toString('utf8', start, end)
    }
    // A slice of one text for all costs a fraction of a text for each, but keeps the whole message in memory.
    if (bytes.length > SLICED) return bytes.toString('latin1', start, end)
    this.#ascii ??= bytes.toString('latin1')
    return this.#ascii.slice(start, end)
  }

  /** A number of an enum, or of an integer type without zigzag, from 0 to 2^31 - 1. */
  uint31(): number {
    if (this.#wireType !== VARINT) throw new Unexpected()
    const value = this.#varint()
    if (value > 0x7fff_ffff) throw new Unexpected()
    return value
  }

  /** Begins to read a message in this field; {@link next} returns 0 at its end. @returns what {@link leave} takes */
  enter(): number {
    const outer = this.#end
    const start = this.#delimited()
    this.#end = this.#at
    this.#at = start
    return outer
  }

  /** Goes on behind the message that {@link enter} began. */
  leave(outer: number): void {
    this.#at = this.#end
    this.#end = outer
  }

  /** Skips the value of this field. */
  skip(): void {
    if (this.#wireType === DELIMITED) this.#delimited()
    else if (this.#wireType === FIXED64) this.#advance(8)
    else if (this.#wireType === FIXED32) this.#advance(4)
    else if (this.#wireType === VARINT) this.#skipVarint()
    else throw new Unexpected()
  }

  /** @returns the start of the value, which ends where the reader is then */
  #delimited(): number {
    if (this.#wireType !== DELIMITED) throw new Unexpected()
    const size = this.#varint()
    const start = this.#at
    this.#advance(size)
    return start
  }

  #advance(size: number): void {
    this.#at += size
    if (this.#at > this.#end) throw new Unexpected()
  }

  /** Of up to 32 bits. */
  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#at < this.#end ? (this.#bytes[this.#at] as number) : 0x80
      this.#at += 1
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return (value | (byte << shift)) >>> 0
      }
      value |= (byte & 0x7f) << shift
    }
    throw new Unexpected()
  }

  #skipVarint(): void {
    for (let size = 0; size < 10; size++) {
      const byte = this.#at < this.#end ? (this.#bytes[this.#at] as number) : 0x80
      this.#at += 1
      if (byte < 0x80) return
    }
    throw new Unexpected()
  }
}
