import { PpoppoError } from '../../../src/errors.js'
import type { CallOptions, SendReceipt, SendRequest } from '../../../src/messaging/types/methods.js'

/** A `send` in this process: notes what it is asked, and answers as `answer` says. */
export class RecordingSend {
  readonly requests: SendRequest[] = []
  readonly options: (CallOptions | undefined)[] = []
  underWay = 0
  mostUnderWay = 0
  readonly #answer: (request: SendRequest, call: number, options: CallOptions | undefined) => unknown

  /** What `answer` returns or resolves to is passed on; without one the send is accepted. */
  constructor(answer: (request: SendRequest, call: number, options: CallOptions | undefined) => unknown = () => {}) {
    this.#answer = answer
  }

  readonly send = async (request: SendRequest, options?: CallOptions): Promise<SendReceipt> => {
    const call = this.requests.push(request) - 1
    this.options.push(options)
    this.underWay += 1
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay)
    try {
      await this.#answer(request, call, options)
      return { id: `send-${call}`, status: 'queued', totalRecipients: request.recipients.length }
    } finally {
      this.underWay -= 1
    }
  }

  /** Every ppnum that was in a request, in order. */
  get ppnums(): string[] {
    return this.requests.flatMap(({ recipients }) => recipients.map(({ ppnum }) => ppnum))
  }
}

/** The `index`th ppnum of a list. */
export const ppnumAt = (index: number): string => String(12_300_000_000 + index)

export interface WatchedSource extends Iterable<{ ppnum: string }> {
  readonly read: number
  readonly isClosed: boolean
}

/** `length` recipients that notes how far it was read, and whether it was told that no more is. */
export function watchedSource(length = Number.POSITIVE_INFINITY): WatchedSource {
  const state = { read: 0, isClosed: false }
  function* recipients() {
    try {
      for (let index = 0; index < length; index += 1) {
        state.read += 1
        yield { ppnum: ppnumAt(index) }
      }
    } finally {
      state.isClosed = true
    }
  }
  return {
    [Symbol.iterator]: recipients,
    get read() {
      return state.read
    },
    get isClosed() {
      return state.isClosed
    },
  }
}

/** What `promise` rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const error: unknown = await promise.then(
    () => new Error('it resolved'),
    (reason) => reason,
  )
  return error as Error & Record<string, unknown>
}

/** A failure as the client raises it. */
export const failure = (code: ConstructorParameters<typeof PpoppoError>[0]): PpoppoError =>
  new PpoppoError(code, `${code}: what happened`)
