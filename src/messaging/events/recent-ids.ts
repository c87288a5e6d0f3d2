/** The last ids that were seen, so many of them. Adding takes the same time however many there are. */
export class RecentIds {
  readonly #ids = new Set<string>()
  /** The same ids in the order they came: a `Set` finds its oldest only by walking past all that were deleted. */
  readonly #ring: string[] = []
  readonly #capacity: number
  #next = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Notes an id. @returns whether it is new */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    const oldest = this.#ring[this.#next]
    if (oldest !== undefined) this.#ids.delete(oldest)
    this.#ring[this.#next] = id
    this.#ids.add(id)
    this.#next = (this.#next + 1) % this.#capacity
    return true
  }
}
