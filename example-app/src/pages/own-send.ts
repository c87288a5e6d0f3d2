import type { Request } from 'express'
import { signedInPerson } from '../account.js'
import { HttpError } from '../http-error.js'
import type { Send, Sends } from '../messages/sends.js'

/** The send of `/messages/:id`. Somebody else's is not there, as one that never was. */
export function ownSend(sends: Sends, req: Request): Send {
  const id = String(req.params['id'])
  const send = /^\d{1,15}$/.test(id) ? sends.find(signedInPerson(req).account.id, Number(id)) : undefined
  if (send === undefined) throw new HttpError(404, 'no_such_message')
  return send
}
