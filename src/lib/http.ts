import { onAbort } from './on-abort.js'

/** The request that is passed to the option `fetch`. */
export interface FetchRequest {
  /** `GET` or `POST`. */
  readonly method: string
  /** Header fields, names in lower case. */
  readonly headers: Record<string, string>
  /** A form, URL-encoded; only with `POST`. */
  readonly body?: string
  /** Redirects must not be followed: that would send a token or a secret somewhere else. */
  readonly redirect: 'manual'
  /** Aborted when the request's deadline has passed. */
  readonly signal: AbortSignal
}

/** The parts of a `Response` that are read. */
export interface FetchAnswer {
  /** HTTP status code. */
  readonly status: number
  /** Looks up a header field by its name, in any case. */
  readonly headers: {
    /** The value, or `null` if there is no such field. */
    get(name: string): string | null
  }
  /** The body as a stream of bytes: a `ReadableStream` or a Node stream. */
  readonly body: object | null
}

/** A `fetch` supplied by the app: Node's own, undici's with a dispatcher, or anything compatible. */
export type PpoppoFetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>

/** The body is longer than the limit. */
export class AnswerTooLong extends Error {}
/** The signal was aborted before the body had been read. */
export class Aborted extends Error {}
/** The app's `fetch` returned something other than a response, or followed a redirect. */
export class NoAnswer extends Error {}

/** A response whose body has been read completely. */
export interface ReadAnswer {
  readonly status: number
  readonly headers: FetchAnswer['headers']
  readonly body: string
}

/**
 * Sends a request and reads the whole body. Settles when the signal is aborted, even if the fetch or its stream ignores it.
 * @throws Aborted, AnswerTooLong, NoAnswer, or what the fetch throws
 */
export function ask(fetch: PpoppoFetch, url: string, request: FetchRequest, maxBytes: number): Promise<ReadAnswer> {
  return whileAllowed(request.signal, async () => {
    const answer: unknown = await fetch(url, request)
    if (!isAnswer(answer)) throw new NoAnswer('it gave no response')
    if ('redirected' in answer && answer.redirected === true) throw new NoAnswer('it followed a redirect')
    const { status, headers } = answer
    return { status, headers, body: await readBounded(answer.body, maxBytes) }
  })
}

function whileAllowed<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const unsubscribe = onAbort(signal, () => reject(new Aborted()))
    work().then(resolve, reject).finally(unsubscribe)
  })
}

async function readBounded(body: object | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of pieces(body)) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (!ArrayBuffer.isView(bytes)) throw new NoAnswer('its body is no stream of bytes')
    size += bytes.byteLength
    if (size > maxBytes) throw new AnswerTooLong()
    chunks.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  }
  // TextDecoder drops a byte order mark (RFC 8259 8.1); `JSON.parse` would choke on it.
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function pieces(body: unknown): AsyncIterable<unknown> | Iterable<unknown> {
  if (body === null || body === undefined) return []
  if (isAsyncIterable(body)) return body
  throw new NoAnswer('its body is no stream')
}

function isAsyncIterable(body: unknown): body is AsyncIterable<unknown> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}

function isAnswer(answer: unknown): answer is FetchAnswer {
  if (typeof answer !== 'object' || answer === null) return false
  const { status, headers } = answer as { status?: unknown; headers?: { get?: unknown } | null }
  return typeof status === 'number' && typeof headers?.get === 'function'
}
