import { onAbort } from './on-abort.js'

/** A request as {@link PpoppoFetch} gets it. */
export interface FetchRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body?: string
  /** No redirect may be followed: it would carry a token or a secret to elsewhere. */
  readonly redirect: 'manual'
  /** Aborted when the request's time is up. */
  readonly signal: AbortSignal
}

/** As much of a `Response` as is read. */
export interface FetchAnswer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** Bytes, piece by piece: a `ReadableStream`, or any stream of Node. */
  readonly body: object | null
}

/** A `fetch` of the app's own: Node's, undici's with a dispatcher, or anything that answers like them. */
export type PpoppoFetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>

/** The answer is longer than is read. */
export class AnswerTooLong extends Error {}
/** The signal was aborted first. */
export class Aborted extends Error {}
/** What should be a fetch answers with something else, or followed a redirect. */
export class NoAnswer extends Error {}

/** An answer, read to its end. */
export interface ReadAnswer {
  readonly status: number
  readonly headers: FetchAnswer['headers']
  readonly body: string
}

/**
 * Asks and reads, for as long as the signal lasts, whatever the fetch and its stream make of it.
 * @throws Aborted, AnswerTooLong, NoAnswer, what the fetch throws
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
    const letGo = onAbort(signal, () => reject(new Aborted()))
    work().then(resolve, reject).finally(letGo)
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
  // A byte order mark is no part of the text (RFC 8259 8.1), and `JSON.parse` takes it for one.
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
