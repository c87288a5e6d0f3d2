/*
 * Server-sent events, as far as they are only text (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 * an answer that does not end, which browsers reopen automatically, with the last `id` they saw in `Last-Event-ID`.
 */
import type { Request, Response } from 'express'

export interface ServerEvent {
  readonly name: string
  /** Sent as `id`: where to resume after it. */
  readonly place?: number
  readonly data: unknown
}

/** How soon a browser comes back. */
const RETRY_MS = 1_000

/** The JSON has no line breaks, so it is one `data` line. */
export function formatEvent({ name, place, data }: ServerEvent): string {
  return `${place === undefined ? '' : `id: ${place}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/**
 * Something now and then, or a proxy takes the connection for dead. An `id` without data raises no event in the page, and
 * still counts as seen: who comes back need not be given what was about others.
 */
export function formatHeartbeat(place: number): string {
  return `: still here\nid: ${place}\n\n`
}

/** Headers and the first line leave at once, so that the page knows it is connected. */
export function beginEventStream(res: Response): void {
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    // no-transform: a compressor on the way would hold lines back until there is enough to compress. Should you use
    // compression() in this app, leave these routes out.
    'Cache-Control': 'no-store, no-transform',
    // nginx collects answers before it passes them on, unless told not to.
    'X-Accel-Buffering': 'no',
  })
  res.flushHeaders()
  res.write(`retry: ${RETRY_MS}\n\n`)
}

/**
 * Where to begin: after what the browser says it saw last; at its first connection, after the place the page was made at.
 * Anything else that may stand there (text, a place of another database) is no reason to refuse: `undefined`.
 */
export function placeOf(req: Request, newest: number): number | undefined {
  const text = req.get('last-event-id') ?? req.query['after']
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) return undefined
  const place = Number(text)
  return place <= newest ? place : undefined
}
