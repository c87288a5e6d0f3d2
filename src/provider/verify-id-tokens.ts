import type { RaiseEvent } from '../audit-events.js'
import type { Config } from '../config/options.js'
import { isPpoppoError } from '../errors.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { ClockDifference, idTokenFault, SignInMismatch, transient } from './faults.js'
import { checkRefreshToken, checkSignInToken } from './id-token.js'
import type { Jws } from './jws.js'
import type { KeySet } from './key-set.js'
import { ID_TOKEN } from './read-answers.js'

/** The part of a token answer that is verified. */
interface AnswerWithIdToken {
  readonly access_token: string
  readonly [member: string]: unknown
}

/** Verifies the id_tokens of token answers, including their signatures. */
export interface IdTokens {
  /**
   * @returns `sub`, a ULID.
   * @throws `provider_response_invalid` naming what is wrong.
   */
  verifySignIn(
    answer: AnswerWithIdToken,
    attempt: { readonly nonce: string; readonly code: string; readonly seenSince?: number },
    keys: KeySet,
  ): Promise<string>
  /**
   * If there is an id_token, it must be for the person and the client of the sign-in (OIDC Core 12.2).
   * @throws {@link SignInMismatch} if it is not, or was not issued by PAS; `provider_response_invalid` if only its
   * times are wrong or PAS does not publish its key, because neither a clock nor a stale key set may end a sign-in.
   */
  verifyRefresh(
    answer: AnswerWithIdToken,
    signIn: { readonly sub: string; readonly createdAt: number },
    keys: KeySet,
  ): Promise<void>
}

/** Together with the time limit of the token call, this must stay below the lease of a refresh. */
const KEYS_FOR_REFRESH_MS = 2_000

/** What checking id_tokens needs. */
export interface IdTokensParts {
  readonly config: Pick<Config, 'clientId' | 'idTokenIssuer'>
  readonly raise: RaiseEvent
  /** What PAS's times are compared with, in milliseconds since the epoch. @default Date.now */
  readonly wallClock?: () => number
}

export function createIdTokens({ config, raise, wallClock = Date.now }: IdTokensParts): IdTokens {
  const expectedOf = ({ access_token: accessToken }: AnswerWithIdToken) => ({
    issuer: config.idTokenIssuer,
    clientId: config.clientId,
    accessToken,
    now: wallClock(),
  })

  /** The token came from PAS over TLS and its claims fit: enough if no keys can be fetched (OIDC Core 3.1.3.7, 6). */
  async function judgeWhereKeysAnswer(jws: Jws, keys: KeySet): Promise<'verified' | 'no_key' | 'forged' | 'unknown'> {
    try {
      const verdict = await within(keys.judge(jws), KEYS_FOR_REFRESH_MS)
      if (verdict !== TIMED_OUT) return verdict
      throw transient('request for its keys', `no answer within ${KEYS_FOR_REFRESH_MS / 1000} s`)
    } catch (error) {
      if (!isPpoppoError(error)) throw error
      const detail = `The id_token of a refresh fits, but its signature could not be verified. ${error.message}`
      raise({ type: 'provider_fault', operation: 'refresh', code: error.code, detail })
      return 'unknown'
    }
  }

  return {
    async verifySignIn(answer, attempt, keys) {
      const idToken = answer[ID_TOKEN]
      if (typeof idToken !== 'string') throw idTokenFault('there is none')
      const { jws, sub } = checkSignInToken(idToken, { ...expectedOf(answer), ...attempt })
      const verdict = await keys.judge(jws)
      if (verdict !== 'verified') throw idTokenFault(WRONG_SIGNATURE[verdict])
      return sub
    },

    async verifyRefresh(answer, { sub, createdAt }, keys) {
      const idToken = answer[ID_TOKEN]
      if (typeof idToken !== 'string') return
      const jws = ofThisSignIn(() => checkRefreshToken(idToken, { ...expectedOf(answer), sub, signedInAt: createdAt }))
      const verdict = await judgeWhereKeysAnswer(jws, keys)
      if (verdict === 'forged') throw new SignInMismatch(idTokenFault(WRONG_SIGNATURE.forged))
      if (verdict === 'no_key') throw idTokenFault(WRONG_SIGNATURE.no_key)
    },
  }
}

const WRONG_SIGNATURE = {
  no_key: 'its signature, for which PAS publishes no key',
  forged: 'its signature',
} as const

/** An id_token that `check` rejects does not belong to this sign-in, unless only a clock is wrong. */
function ofThisSignIn<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!isPpoppoError(error) || error instanceof ClockDifference) throw error
    throw new SignInMismatch(error)
  }
}
