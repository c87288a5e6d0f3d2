import type { Request } from 'express'
import { callBack } from '../lib/call-back.js'
import { defineHidden } from '../lib/define-hidden.js'

/** Called when the app ends a session through express-session's own methods. */
export interface SessionHooks {
  /** `destroy()` was called; its callback waits for this. */
  readonly destroyed: () => Promise<void>
  /** `regenerate()` was called: the app may still move values into the new session. */
  readonly regenerated: () => void
}

type Done = (error?: unknown) => void

/** Calls `hooks` when the app ends the session of a request, whether the library's or the app's own. */
export function watchSession(req: Request, hooks: SessionHooks): void {
  const { session } = req
  const { destroy, regenerate, reload } = session

  defineHidden(session, 'destroy', (done?: Done) => {
    // Both at once: express-session takes the session off the request before anything is awaited.
    const sessionEnds = new Promise<unknown>((resolve) => void Reflect.apply(destroy, session, [resolve]))
    callBack(
      Promise.all([sessionEnds, hooks.destroyed()]),
      ([error]) => done?.(error),
      (error) => done?.(error),
    )
    return session
  })
  defineHidden(session, 'regenerate', (done: Done) => {
    hooks.regenerated()
    return Reflect.apply(regenerate, session, [done])
  })
  defineHidden(session, 'reload', (done: Done) =>
    Reflect.apply(reload, session, [
      (error?: unknown) => {
        if (req.session && req.session !== session) watchSession(req, hooks)
        done(error)
      },
    ]),
  )
}
