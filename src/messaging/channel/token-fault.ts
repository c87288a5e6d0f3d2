import { PpoppoError, type PpoppoErrorCode } from '../../errors.js'

/**
 * Why a request brought no token. `refused`: PAS said so, in the words of RFC 6749 5.2; `away`: nobody answers, or not
 * now; `page`: something answers that is no token endpoint, for a while or for good; `set_up`: it cannot be reached as
 * things are set up.
 */
export type TokenFaultKind = 'refused' | 'away' | 'page' | 'set_up'

/** A token request that failed; {@link TokenFault.toError} makes the app's error of it. */
export class TokenFault extends Error {
  readonly kind: TokenFaultKind
  readonly code: PpoppoErrorCode
  /** What PAS asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  /** @param code of the error where the fault does not pass */
  constructor(kind: TokenFaultKind, code: PpoppoErrorCode, text: string, retryAfterMs?: number) {
    super(text)
    this.kind = kind
    this.code = code
    this.retryAfterMs = retryAfterMs
  }

  /** @param hasBeenGranted whether there ever was a token: then what answers in its place now does so for a while */
  toError(hasBeenGranted: boolean): PpoppoError {
    const isForGood = this.kind !== 'away' && !(this.kind === 'page' && hasBeenGranted)
    if (isForGood) return new PpoppoError(this.code, this.message)
    return new PpoppoError(
      'messaging_unavailable',
      this.message,
      this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs },
    )
  }
}
