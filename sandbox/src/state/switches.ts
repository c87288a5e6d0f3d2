import { isJsonObject } from '../lib/json.js'
import { defaultPcsSwitches, type PcsSwitches, pcsSwitchFaults } from './pcs-switches.js'

/** Everything about the sandbox's behaviour that can be changed while it runs. */
export interface Switches extends PcsSwitches {
  /** Key of the person who signs in without being asked, or `deny`; `null` shows the page. @default null */
  autoSignIn: string | null
  /** Remember the person in a cookie, so that the next sign-in in the same browser asks nothing. @default false */
  rememberBrowser: boolean
  /** Discovery names an `end_session_endpoint`, and it answers. @default false */
  announceEndSession: boolean
  /** Discovery names a `revocation_endpoint`, and it answers. @default false */
  announceRevocation: boolean
  /** RFC 9207: send `iss` with the code, and say so in discovery. @default false */
  sendIssuerParameter: boolean
  /** What a refresh answer says: `null` as PAS does, no field at all, or a new token in exchange. @default 'null' */
  refreshTokenAnswer: 'null' | 'absent' | 'rotate'
  /** A refresh answer carries a new id_token too (without nonce). @default true */
  idTokenOnRefresh: boolean
  /** What `at_hash` and `c_hash` are made with: the left half of SHA-512, or the leftmost 128 bits of SHA-256. @default 'sha512' */
  idTokenHash: 'sha512' | 'sha256'
  /** An id_token from a code has `c_hash`, too. @default false */
  sendCodeHash: boolean
  /** Members of any answer, and claims of an id_token, that there is nothing for are `null`. @default false */
  sendNulls: boolean
  /** By how much PAS's clock, as id_tokens show it, is ahead of this machine's; negative: behind. @default 0 */
  clockAheadSeconds: number
  /** @default 3600 */
  accessTokenTtlSeconds: number
  /** @default 3600 */
  idTokenTtlSeconds: number
  /** Idle life. @default 15552000 (180 days) */
  refreshTokenTtlSeconds: number
  /** @default 300 */
  codeTtlSeconds: number
}

export const defaultSwitches: Readonly<Switches> = {
  autoSignIn: null,
  rememberBrowser: false,
  announceEndSession: false,
  announceRevocation: false,
  sendIssuerParameter: false,
  refreshTokenAnswer: 'null',
  idTokenOnRefresh: true,
  idTokenHash: 'sha512',
  sendCodeHash: false,
  sendNulls: false,
  clockAheadSeconds: 0,
  accessTokenTtlSeconds: 3600,
  idTokenTtlSeconds: 3600,
  refreshTokenTtlSeconds: 180 * 24 * 3600,
  codeTtlSeconds: 300,
  ...defaultPcsSwitches,
}

/** Switches that take one word of a few. */
const WORDS: Readonly<Record<string, readonly string[] | undefined>> = {
  refreshTokenAnswer: ['null', 'absent', 'rotate'] satisfies Switches['refreshTokenAnswer'][],
  idTokenHash: ['sha512', 'sha256'] satisfies Switches['idTokenHash'][],
}

/**
 * Checks a set of switches.
 * @param options other names that may stand beside them, for the message
 * @throws TypeError naming the switch and what it takes.
 */
export function parseSwitches(
  input: unknown,
  personKeys: readonly string[],
  options: readonly string[] = [],
): Partial<Switches> {
  if (!isJsonObject(input)) throw new TypeError('switches must be an object')
  for (const [name, value] of Object.entries(input)) {
    if (!Object.hasOwn(defaultSwitches, name)) {
      const known = [...options, ...Object.keys(defaultSwitches)]
      throw new TypeError(
        `"${name}" is not ${options.length > 0 ? 'an option' : 'a switch'}; there are ${known.join(', ')}`,
      )
    }
    const fault = switchFault(name as keyof Switches, value, personKeys)
    if (fault !== undefined) throw new TypeError(`"${name}" must be ${fault}`)
  }
  return input as Partial<Switches>
}

function switchFault(name: keyof Switches, value: unknown, personKeys: readonly string[]): string | undefined {
  if (isPcsSwitch(name)) return pcsSwitchFaults[name](value)
  if (name === 'autoSignIn') {
    const isKnown = value === null || (typeof value === 'string' && personKeys.includes(value))
    return isKnown ? undefined : `null or one of ${personKeys.join(', ')}`
  }
  const words = WORDS[name]
  if (words) return typeof value === 'string' && words.includes(value) ? undefined : `one of ${words.join(', ')}`
  if (name === 'clockAheadSeconds') return Number.isSafeInteger(value) ? undefined : 'a whole number of seconds'
  if (typeof defaultSwitches[name] === 'boolean') return typeof value === 'boolean' ? undefined : 'true or false'
  return Number.isSafeInteger(value) && Number(value) > 0 ? undefined : 'a positive whole number of seconds'
}

function isPcsSwitch(name: keyof Switches): name is keyof PcsSwitches {
  return Object.hasOwn(pcsSwitchFaults, name)
}
