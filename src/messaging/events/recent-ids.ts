/** The last ids that were seen, so many of them. Adding takes the same time however many there are. */
export class RecentIds {
  readonly #capacity: number
  /** In the order they came. A `Set` finds its oldest only by walking past all that were deleted. */
  readonly #ring: string[] = []
  #next = 0
  #highest = ''
  /** As long as each id is above all before it, as ULIDs are, none can have been seen, and nothing is looked up. */
  #set: Set<string> | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Notes an id. @param id not empty @returns whether it is new */
  add(id: string): boolean {
    if (this.#set === undefined && id > this.#highest) {
      this.#highest = id
      this.#push(id)
      return true
    }
    this.#set ??= new Set(this.#ring)
    if (this.#set.has(id)) return false
    const oldest = this.#push(id)
    if (oldest !== undefined) this.#set.delete(oldest)
    this.#set.add(id)
    return true
  }

  /** @returns the id that had to make room */
  #push(id: string): string | undefined {
    const oldest = this.#ring[this.#next]
    this.#ring[this.#next] = id
    this.#next = (this.#next + 1) % this.#capacity
    return oldest
  }
}
