import { randomBytes } from 'node:crypto'

/** With a `1` in front of them, up to 15 digits are an integer that a float64 holds exactly. */
const LONGEST_EXACT = 15
const FIRST_CAPACITY = 4_096
/** Above this load factor, probe sequences become long. */
const HIGHEST_LOAD = 0.7

/**
 * The ppnums that a run has seen. Exact, like a `Set` of strings, with about a tenth of its memory: numbers of up to 15 digits
 * are kept in open-addressing tables, 8 bytes per slot, 12 to 23 bytes per number. A full table is kept, and the next one is
 * twice as large: growing by copying would need half as much again just when memory is scarce.
 */
export class SeenPpnums {
  /** Only the last table has room. A slot of 0 is free. */
  readonly #tables: Float64Array[] = []
  #table = new Float64Array(FIRST_CAPACITY)
  #used = 0
  /** Longer ppnums, kept as strings. None is documented. */
  readonly #long = new Set<string>()
  /** Hash key. Lists may come from strangers: without it, one could consist of numbers that all collide. */
  readonly #key = randomBytes(4).readUInt32LE()

  /** Notes a ppnum (11 digits or more, checked by the caller). @returns whether it is new. */
  add(ppnum: string): boolean {
    if (ppnum.length > LONGEST_EXACT) return this.#addLong(ppnum)
    // A `1` is put in front, so that leading zeros count and numbers of different lengths differ.
    const number = Number(ppnum) + 10 ** ppnum.length
    const hash = this.#hash(number)
    for (const full of this.#tables) if (full[slotOf(full, number, hash)] === number) return false
    const slot = slotOf(this.#table, number, hash)
    if (this.#table[slot] === number) return false
    this.#table[slot] = number
    this.#used += 1
    if (this.#used > this.#table.length * HIGHEST_LOAD) this.#grow()
    return true
  }

  #addLong(ppnum: string): boolean {
    const before = this.#long.size
    return this.#long.add(ppnum).size > before
  }

  #grow(): void {
    this.#tables.push(this.#table)
    this.#table = new Float64Array(this.#table.length * 2)
    this.#used = 0
  }

  /** Mixes both halves of the number with murmur3's finalizer, so that consecutive numbers are spread far apart. */
  #hash(number: number): number {
    const high = Math.floor(number / 0x1_0000_0000)
    return mix(mix((number >>> 0) ^ this.#key) ^ high)
  }
}

/** The slot of a number in a table, or the free slot that it belongs in. */
function slotOf(table: Float64Array, number: number, hash: number): number {
  const mask = table.length - 1
  let slot = hash & mask
  while (table[slot] !== 0 && table[slot] !== number) slot = (slot + 1) & mask
  return slot
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return mixed ^ (mixed >>> 16)
}
