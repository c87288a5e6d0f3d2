/** The last ids that were seen, a fixed number of them. Adding one takes the same time however many there are. */
export class RecentIds {
  readonly #capacity: number
  /** In order of arrival. A `Set` would find its oldest entry only by walking past all deleted ones. */
  readonly #ring: string[] = []
  #next = 0
  #highest = ''
  /** Needed only once an id is not above all before it: until then, as with ULIDs, none can be a duplicate. */
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

  /** @returns the id that was dropped for it */
  #push(id: string): string | undefined {
    const oldest = this.#ring[this.#next]
    this.#ring[this.#next] = id
    this.#next = (this.#next + 1) % this.#capacity
    return oldest
  }
}
