import { PpoppoError } from '../errors.js'

/** A person's profile, read from PAS at this moment (*Sign-in reference*, "UserInfo endpoint"). */
export interface UserInfo {
  /** ppnum_id, a ULID. */
  readonly sub: string
  /** 11 digits or more. */
  readonly ppnum: string
  /** Only with scope `email`. Never store it: it changes, and PAS owns it. */
  readonly email?: string
  /** Whether PAS has verified the address; only with scope `email`. */
  readonly emailVerified?: boolean
  /** When the account was created. */
  readonly createdAt: Date
  /** Only for accounts that are not people, e.g. `'ai_agent'`. */
  readonly accountType?: string
}

/** Converts a userinfo answer to our names. Its members and its `sub` have already been checked. */
export function toUserInfo(answer: Readonly<Record<string, unknown>>): UserInfo {
  const { sub, ppnum, email, email_verified: emailVerified, created_at: createdAt, account_type: accountType } = answer
  const created = new Date(String(createdAt))
  if (Number.isNaN(created.getTime())) {
    throw new PpoppoError(
      'provider_response_invalid',
      'PAS sent a userinfo answer whose "created_at" must be a time (RFC 3339).',
    )
  }
  return {
    sub: String(sub),
    ppnum: String(ppnum),
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof emailVerified === 'boolean' ? { emailVerified } : {}),
    createdAt: created,
    // People have no account type here, although newer crates send one for them too.
    ...(typeof accountType === 'string' && accountType !== 'human' ? { accountType } : {}),
  }
}
