import { PpoppoError } from '../errors.js'

/** What PAS says of a person, live. Source: seed sign-in-reference, "UserInfo endpoint". */
export interface UserInfo {
  /** ppnum_id, a ULID. */
  readonly sub: string
  /** 11 digits or more. */
  readonly ppnum: string
  /** Only with scope `email`. Never store it: it changes, and PAS owns it. */
  readonly email?: string
  readonly emailVerified?: boolean
  /** When the account was made. */
  readonly createdAt: Date
  /** Only for accounts that are not people, e.g. `'ai_agent'`. */
  readonly accountType?: string
}

/** The answer of userinfo in our names. `sub` has been compared. */
export function toUserInfo(answer: Readonly<Record<string, unknown>>): UserInfo {
  const { sub, ppnum, email, email_verified: emailVerified, created_at: createdAt } = answer
  if (typeof sub !== 'string') throw invalid('"sub"')
  if (typeof ppnum !== 'string' || !/^[0-9]{11,}$/.test(ppnum)) throw invalid('"ppnum"')
  const created = new Date(typeof createdAt === 'string' ? createdAt : Number.NaN)
  if (Number.isNaN(created.getTime())) throw invalid('"created_at"')
  const accountType = toAccountType(answer)
  return {
    sub,
    ppnum,
    ...(typeof email === 'string' ? { email } : {}),
    ...(typeof emailVerified === 'boolean' ? { emailVerified } : {}),
    createdAt: created,
    ...(accountType === undefined ? {} : { accountType }),
  }
}

/** `account_type` in the seed documents, `entity_type` in newer crates, which also names people: `human`. */
function toAccountType(answer: Readonly<Record<string, unknown>>): string | undefined {
  const type = answer['account_type'] ?? answer['entity_type']
  return typeof type === 'string' && type !== 'human' ? type : undefined
}

function invalid(member: string): PpoppoError {
  return new PpoppoError('provider_response_invalid', `userinfo of PAS has no usable ${member}.`)
}
