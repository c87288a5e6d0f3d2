/* What all open connections of pages have in common: how many one person may have, and that they end with the sign-in. */
import type { Request, Response } from 'express'
import { isPpoppoError } from 'express-ppoppo'
import { HttpError } from '../http-error.js'

export interface StreamLimit {
  /** Counts a connection until it closes. @returns `false` where it is answered already. @throws HttpError 429 */
  enter(req: Request, res: Response, accountId: number): boolean
}

/** At one instance. Nobody has so many pages before them. */
const MOST_STREAMS_OF_ONE = 20
const RETRY_SECONDS = 30

export function createStreamLimit(): StreamLimit {
  const open = new Map<number, number>()
  return {
    enter(req, res, accountId) {
      const count = open.get(accountId) ?? 0
      if (count >= MOST_STREAMS_OF_ONE) {
        res.set('Retry-After', String(RETRY_SECONDS))
        throw new HttpError(429, 'too_many_pages')
      }
      // Express answers HEAD by GET's route, and this one would never end.
      if (req.method === 'HEAD') {
        res.set('Cache-Control', 'no-store').type('text/event-stream').end()
        return false
      }
      open.set(accountId, count + 1)
      res.on('close', () => {
        const left = (open.get(accountId) ?? 1) - 1
        if (left > 0) open.set(accountId, left)
        else open.delete(accountId)
      })
      return true
    },
  }
}

/** `req.ppoppo` says who it was when the page connected, and that may be hours ago. @throws where the store is down */
export async function isStillSignedIn(req: Request): Promise<boolean> {
  try {
    return (await req.ppoppo.signIns()).some(({ current }) => current)
  } catch (error) {
    if (isPpoppoError(error, 'signed_out')) return false
    throw error
  }
}
