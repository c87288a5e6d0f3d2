import { PpoppoError } from '../errors.js'
import { isPlainObject } from '../lib/guards.js'

/**
 * Upper limits for what PAS may send; more is an error that names the member. They matter because much of it is stored
 * in the sign-in's record, which every request reads, or goes into headers.
 */
export const ANSWER_BOUNDS = {
  /** Characters of an endpoint's address. */
  url: 2_048,
  /** Characters of an access or refresh token. */
  token: 16_384,
  /** Characters of an id_token. */
  idToken: 32_768,
  /** Characters of all granted scopes together. */
  scope: 4_096,
  /** Ten years. */
  expiresInSeconds: 315_360_000,
  /** Published keys. */
  keys: 100,
  /** Digits. */
  ppnum: 64,
  /** Characters of an e-mail address (RFC 5321 4.5.3.1: 64, the sign, 255). */
  email: 320,
  /** Characters of `created_at` and of `account_type`. */
  word: 64,
} as const

/** What a string member must be, besides being a string. */
interface TextForm {
  readonly atMost: number
  readonly pattern?: RegExp
  /** What it must be, in words. */
  readonly form?: string
}

/**
 * One answer of PAS, read member by member. PAS sends `null` for a missing value (`"refresh_token": null`), other
 * providers an empty string: both always count as absent. A member that is present must be valid, or the error names
 * it. Errors never quote a value.
 */
export class Answer {
  readonly #what: string
  readonly #members: Readonly<Record<string, unknown>>

  /**
   * @param what e.g. `'token answer'`
   * @throws `provider_response_invalid` if the answer is JSON but not an object.
   */
  constructor(what: string, body: unknown) {
    if (!isPlainObject(body)) throw invalid(what, 'which must be a JSON object')
    this.#what = what
    this.#members = body
  }

  /** The error for a member that cannot be used. */
  fault(name: string, mustBe: string): PpoppoError {
    return invalid(this.#what, `whose "${name}" ${mustBe}`)
  }

  /** A member as it is; `undefined` for `null`. */
  value(name: string): unknown {
    return (Object.hasOwn(this.#members, name) ? this.#members[name] : undefined) ?? undefined
  }

  text(name: string, form: TextForm): string | undefined {
    const value = this.value(name)
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') throw this.fault(name, 'must be a text')
    if (value.length > form.atMost) throw this.fault(name, `is longer than ${form.atMost} characters`)
    if (form.pattern && !form.pattern.test(value)) throw this.fault(name, `must be ${form.form ?? 'well formed'}`)
    return value
  }

  requiredText(name: string, form: TextForm): string {
    const value = this.text(name, form)
    if (value === undefined) throw this.fault(name, 'is missing')
    return value
  }

  /** `true` or `false`, also as a string. */
  boolean(name: string): boolean | undefined {
    const value = this.value(name)
    if (value === undefined || value === '') return undefined
    const text = String(value)
    if (typeof value === 'object' || (text !== 'true' && text !== 'false')) {
      throw this.fault(name, 'must be true or false')
    }
    return text === 'true'
  }

  /** A number, also as a string of digits. */
  number(name: string, atMost: number): number | undefined {
    const value = this.value(name)
    if (value === undefined || value === '') return undefined
    const number = typeof value === 'string' && /^\d{1,20}(\.\d{1,20})?$/.test(value) ? Number(value) : value
    const isInRange = typeof number === 'number' && number >= 0 && number <= atMost
    if (!isInRange) throw this.fault(name, `must be a number from 0 to ${atMost}`)
    return number
  }

  /** The objects of a list, without its `null` entries. */
  objects(name: string, atMost: number): readonly Record<string, unknown>[] {
    const value = this.value(name)
    if (!Array.isArray(value)) throw this.fault(name, 'must be a list')
    const present = value.filter((entry: unknown) => entry !== null)
    if (present.length > atMost) throw this.fault(name, `has more than ${atMost} entries`)
    if (!present.every(isPlainObject)) throw this.fault(name, 'must be a list of objects')
    return present
  }
}

function invalid(what: string, why: string): PpoppoError {
  return new PpoppoError('provider_response_invalid', `PAS sent a ${what} ${why}.`)
}
