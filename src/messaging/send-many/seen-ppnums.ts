import { randomBytes } from 'node:crypto'

/** With a `1` in front of them, up to 15 digits are an integer that a float64 holds exactly. */
const LONGEST_EXACT = 15
const FIRST_CAPACITY = 4_096
/** With more than this share of a table in use the probes grow long. */
const HIGHEST_LOAD = 0.7

/**
 * The ppnums a run has met. Exact, like a `Set` of strings, at about a tenth of its memory: numbers of up to 15 digits
 * lie in open-addressing tables, 8 bytes a slot, 12 to 23 bytes a number. A full table is kept and the next is twice as
 * large: growing by copying would need half as much again, at the very moment in which memory is scarce.
 */
export class SeenPpnums {
  /** Only the last has room. A slot of 0 is free. */
  readonly #tables: Float64Array[] = []
  #table = new Float64Array(FIRST_CAPACITY)
  #used = 0
  /** Longer ones. None is documented; they cost what strings cost. */
  readonly #long = new Set<string>()
  /** Lists come from strangers too: without a key they could be made of numbers that all fall on one slot. */
  readonly #key = randomBytes(4).readUInt32LE()

  /** Notes a ppnum (11 digits or more, checked by the caller). @returns whether it is new. */
  add(ppnum: string): boolean {
    if (ppnum.length > LONGEST_EXACT) return this.#addLong(ppnum)
    // As if a `1` stood in front: leading zeros count, and numbers of different length differ.
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

  /** Both halves of the number, mixed as murmur3 ends: neighbours, which lists are full of, come to lie far apart. */
  #hash(number: number): number {
    const high = Math.floor(number / 0x1_0000_0000)
    return mix(mix((number >>> 0) ^ this.#key) ^ high)
  }
}

/** Where the number lies in a table, or else the free slot it belongs in. */
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
