import type { Request, Response } from 'express'
import type { RaiseEvent, SignOutReason } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { isPpoppoError } from '../errors.js'
import { APP_DEADLINE_MS, askApp } from '../lib/ask-app.js'
import { beforeHeaders } from '../lib/before-headers.js'
import { TIMED_OUT } from '../lib/wait.js'
import { keepPrivate } from '../session/audience.js'
import { endAppSession } from '../session/change-session-id.js'
import type { LandedCookie } from '../session/landed-cookie.js'
import { otherPointers, readPointer } from '../session/pointer.js'
import type { OwnSession } from '../session/session.js'
import { type SignIn, toPpoppoUser } from '../vault/record.js'
import type { EndedSignIn, Vault } from '../vault/vault.js'
import type { SignOutAtPas } from './sign-out-at-pas.js'

/** Ends sign-ins permanently. */
export interface SignOut {
  /** Ends the sign-in of this browser; with `everywhere`, all sign-ins of that person. */
  endHere(req: Request, res: Response, signIn: SignIn | undefined, everywhere: boolean): Promise<void>
  /**
   * Ends a sign-in whose session the app itself has ended. Never throws. PAS is notified in the background; `onSignOut`
   * is not called, because the app already knows.
   */
  endWithSession(id: string): Promise<void>
  /** Ends the session of a sign-in that has ended elsewhere, because its data belongs to that person. */
  endSessionOfGone(req: Request, res: Response): Promise<void>
  /** Ends one sign-in by id, in any browser. @returns whether there was one. */
  endOne(id: string, reason: SignOutReason): Promise<boolean>
}

/** What sign-out needs. */
export interface SignOutParts {
  readonly config: Pick<Config, 'onSignOut'>
  readonly vault: Vault
  readonly atPas: Pick<SignOutAtPas, 'revoke'>
  readonly ownSession: OwnSession
  readonly landed: LandedCookie
  readonly pointerKey: string
  readonly raise: RaiseEvent
}

export function createSignOut(parts: SignOutParts): SignOut {
  const { config, vault, atPas, ownSession, landed, pointerKey, raise } = parts

  function report(ended: readonly EndedSignIn[], reason: SignOutReason): void {
    for (const { sub, id } of ended) raise({ type: 'sign_out', sub, signInId: id, reason })
  }

  async function notifyApp(req: Request, signIn: SignIn, everywhere: boolean): Promise<void> {
    try {
      const answer = await askApp(() => config.onSignOut?.(toPpoppoUser(signIn), { req, everywhere }))
      if (answer === TIMED_OUT) throw new Error('onSignOut takes too long')
    } catch {
      raise({
        type: 'warning',
        code: 'on_sign_out_failed',
        detail: `onSignOut threw, or took longer than ${APP_DEADLINE_MS / 1_000} s; the person is signed out.`,
      })
    }
  }

  async function forget(req: Request, res: Response): Promise<void> {
    landed.clear(res)
    try {
      const carried = req.session ? otherPointers(req.session, pointerKey) : {}
      if (ownSession.owns(req)) await ownSession.end(req, carried)
      else if (req.session) await endAppSession(req, carried)
    } catch {
      // The record is deleted, so the pointer is useless; the blob expires by itself.
      raise({
        type: 'store_unavailable',
        operation: 'session end',
        detail: 'the sign-in has ended, its session blob stays',
      })
    }
  }

  return {
    async endHere(req, res, signIn, everywhere) {
      const id = signIn?.id ?? (req.session && readPointer(req.session, pointerKey)?.signInId)
      // Nobody is signed in, and an anonymous visitor's session is not ours to end.
      if (id === undefined) return
      const isEverywhere = everywhere && signIn !== undefined
      const ended = isEverywhere ? [...(await vault.removeAll(signIn.sub))] : []
      // Either only this sign-in was to end, or the index does not list it.
      if (!ended.some((one) => one.id === id)) {
        // If others have already ended, the sign-out must not fail because of this one.
        const one = await (ended.length > 0 ? vault.discard(id) : vault.remove(id))
        if (one) ended.push(one)
      }
      await forget(req, res)
      report(ended, isEverywhere ? 'sign_out_everywhere' : 'sign_out')
      await atPas.revoke(ended)
      if (signIn) await notifyApp(req, signIn, everywhere)
    },

    async endWithSession(id) {
      const ended = await vault.discard(id)
      if (!ended) return
      report([ended], 'session_ended')
      void atPas.revoke([ended])
    },

    async endSessionOfGone(req, res) {
      const carried = otherPointers(req.session, pointerKey)
      try {
        if (ownSession.owns(req)) return await ownSession.leave(req, carried)
        // The app sends its own session cookie with this answer, so no cache may keep it.
        beforeHeaders(res, () => keepPrivate(res, 'no-store'))
        await endAppSession(req, carried)
      } catch (error) {
        if (isPpoppoError(error)) throw error
        raise({ type: 'store_unavailable', operation: 'session end', detail: 'the session of an ended sign-in stays' })
      }
    },

    async endOne(id, reason) {
      const ended = await vault.remove(id)
      if (!ended) return false
      report([ended], reason)
      await atPas.revoke([ended])
      return true
    },
  }
}
