import type { ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { PpoppoError } from '../errors.js'
import { defineHidden } from '../lib/define-hidden.js'
import { faultOf } from './unsaveable.js'
import type { Visit } from './visit.js'

/** What it takes to end an answer. */
export interface AnswerEndParts {
  readonly req: Request
  readonly visit: Visit
  /** Whether the session is saved though the app changed nothing in it. */
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
 * Fixes how express-session ends an answer: with a session that cannot be saved it leaves the request hanging forever,
 * and it never calls the callback of `res.end`.
 */
export function mendEnd({ req, visit, isSaveDue, next, onUnsaved }: AnswerEndParts): void {
  const { res } = visit
  const { end, writeHead } = res
  if (typeof end !== 'function') return
  guardSave(req)
  guardReload(req)

  function giveUp(fault: PpoppoError, chunk: unknown, encoding: unknown): void {
    Reflect.deleteProperty(req, 'session')
    res.end = visit.end
    if (res.headersSent || res.statusCode >= 500) {
      onUnsaved(fault.message)
      Reflect.apply(visit.end, res, [chunk, encoding])
      return
    }
    res.statusCode = 500
    for (const name of ENTITY_HEADERS) res.removeHeader(name)
    process.nextTick(next, fault)
  }

  res.end = function endSession(...args: unknown[]): ServerResponse {
    const [chunk, encoding, callback] = toEndArguments(args)
    if (callback) callBackAtFinish(visit, callback)
    if (visit.isEnding) return res
    visit.isEnding = true
    try {
      const finish = (): unknown => Reflect.apply(end, res, [chunk, encoding])
      if (isSaveDue()) saveWith(req, finish)
      else finish()
    } catch (error) {
      const fault = faultOf(req.session)
      if (!fault) {
        // Node rejected this response: the error handler will send another one.
        res.end = visit.end
        throw error
      }
      giveUp(fault, chunk, encoding)
    }
    return res
  } as ServerResponse['end']

  // Where the headers leave before the end, express-session looks at the session then.
  res.writeHead = function writeHeadOfSession(...args: unknown[]): ServerResponse {
    try {
      return Reflect.apply(writeHead, res, args)
    } catch (error) {
      const fault = faultOf(req.session)
      if (!fault) throw error
      Reflect.deleteProperty(req, 'session')
      onUnsaved(fault.message)
      return Reflect.apply(writeHead, res, args)
    }
  } as ServerResponse['writeHead']
}

/** express-session saves what looks changed: while it ends the answer, this session does. */
function saveWith({ session }: Request, finish: () => unknown): void {
  const toJSON = (): object => ({ ...session, isSaveDue: true })
  defineHidden(session, 'toJSON', toJSON)
  try {
    finish()
  } finally {
    Reflect.deleteProperty(session, 'toJSON')
  }
}

/** `save` of a session that JSON cannot hold throws, possibly where nothing catches it, so its callback gets the error. */
function guardSave({ session }: Request): void {
  const { save } = session
  const value = (done?: (error?: unknown) => void): typeof session => {
    try {
      return Reflect.apply(save, session, [done])
    } catch (error) {
      const fault = faultOf(session)
      if (!fault || typeof done !== 'function') throw fault ?? error
      process.nextTick(done, fault)
      return session
    }
  }
  defineHidden(session, 'save', value)
}

/**
 * `reload` of a session that has ended, or ends meanwhile: its callback gets the error. express-session's own looks at the
 * session of the request first, and what it throws there ends the process.
 */
function guardReload(req: Request): void {
  const { session } = req
  const reload: unknown = Object.getPrototypeOf(session)?.reload
  if (typeof reload !== 'function') return
  const value = (done: (error?: unknown) => void): typeof session =>
    Reflect.apply(reload, session, [(error?: unknown) => done(error ?? undefined)])
  defineHidden(session, 'reload', value)
}

/** `end(callback)`, `end(chunk, callback)` or `end(chunk, encoding, callback)`. */
function toEndArguments(args: readonly unknown[]): readonly [unknown, unknown, Callback | undefined] {
  const at = args.findIndex((arg) => typeof arg === 'function')
  const [chunk, encoding] = at < 0 ? args : args.slice(0, at)
  return [chunk, encoding, args[at] as Callback | undefined]
}

function callBackAtFinish({ res, end }: Visit, callback: Callback): void {
  // Node says then that it is too late.
  if (res.writableFinished) Reflect.apply(end, res, [callback])
  else if (typeof res.once === 'function') res.once('finish', callback)
}
