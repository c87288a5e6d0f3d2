import type { ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { PpoppoError } from '../errors.js'
import { isUnasked } from './session-on-demand.js'
import { explainUnsavable } from './unsavable.js'
import type { Visit } from './visit.js'

/** What ending an answer needs. */
export interface AnswerEndParts {
  readonly req: Request
  readonly visit: Visit
  /** Whether the session must be saved first. Sends the headers, if the cookie leaves with them. @throws `session_invalid` */
  readonly isSaveDue: () => boolean
  /** Called with the error, instead of answering, if the session cannot be saved. */
  readonly next: (error: unknown) => void
  /** Called if the session cannot be saved and it is too late for an error page. */
  readonly onUnsaved: (detail: string) => void
}

type Callback = () => void

/** Headers that describe the app's answer and would be wrong on an error page. */
const ENTITY_HEADERS = [
  ...['Content-Type', 'Content-Length', 'Content-Encoding', 'Content-Disposition', 'Content-Range'],
  ...['ETag', 'Last-Modified', 'Cache-Control', 'Expires', 'Location'],
]

/**
 * Saves the session before an answer ends, if that is due, so that a client that has the whole answer finds what it
 * wrote. A session that cannot be saved is an error, as long as the app can still answer with one.
 */
export function saveAtEnd({ req, visit, isSaveDue, next, onUnsaved }: AnswerEndParts): void {
  const { res, end } = visit
  if (typeof end !== 'function') return

  function giveUp(fault: PpoppoError, body: readonly unknown[]): void {
    Reflect.deleteProperty(req, 'session')
    res.end = end
    if (res.headersSent || res.statusCode >= 500) {
      onUnsaved(fault.message)
      Reflect.apply(end, res, body)
      return
    }
    res.statusCode = 500
    for (const name of ENTITY_HEADERS) res.removeHeader(name)
    process.nextTick(next, fault)
  }

  function endSession(...args: unknown[]): ServerResponse {
    const { body, callback } = parseEndArguments(args)
    if (callback) callBackAtFinish(visit, callback)
    if (visit.isEnding) return res
    visit.isEnding = true
    try {
      if (!isUnasked(req) && req.session && isSaveDue()) saveAndEnd(req, visit, body)
      else Reflect.apply(end, res, body)
    } catch (error) {
      const fault = isUnasked(req) ? undefined : explainUnsavable(req.session)
      if (!fault) {
        // Node rejected this response: the error handler will send another one.
        res.end = end
        throw error
      }
      giveUp(fault, body)
    }
    return res
  }
  res.end = endSession as ServerResponse['end']
}

/** Refuses an invalid body as soon as `res.end` is called, as Node does, though here the body is sent later. */
function saveAndEnd({ session }: Request, { res, end }: Visit, [chunk, encoding]: readonly unknown[]): void {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding | undefined) : chunk
  if (bytes !== undefined && bytes !== null && !ArrayBuffer.isView(bytes)) {
    Reflect.apply(end, res, [chunk, encoding])
    return
  }
  session.save(() => {
    try {
      Reflect.apply(end, res, [bytes])
    } catch (error) {
      res.destroy(error instanceof Error ? error : undefined)
    }
  })
}

/** `end(callback)`, `end(chunk, callback)` or `end(chunk, encoding, callback)`. */
function parseEndArguments(args: readonly unknown[]): { body: readonly unknown[]; callback: Callback | undefined } {
  const at = args.findIndex((arg) => typeof arg === 'function')
  const [chunk, encoding] = at < 0 ? args : args.slice(0, at)
  return { body: [chunk, encoding], callback: args[at] as Callback | undefined }
}

function callBackAtFinish({ res, end }: Visit, callback: Callback): void {
  // Node then reports that it is too late.
  if (res.writableFinished) Reflect.apply(end, res, [callback])
  else if (typeof res.once === 'function') res.once('finish', callback)
}
