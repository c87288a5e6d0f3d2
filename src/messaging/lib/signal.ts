/**
 * Something that happens again and again, to be waited for: room in a buffer, the end of some work. Only what happens after
 * the wait began counts, so check the condition in a loop around it.
 *
 * @example
 * while (isFull()) await room.next()
 */
export class Signal {
  #waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

  /** Resolves with the next {@link Signal.notify}, for all who are waiting. */
  next(): Promise<void> {
    this.#waiting ??= createWaiting()
    return this.#waiting.promise
  }

  /** It has happened. Does nothing where nobody is waiting. */
  notify(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }
}

function createWaiting(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
