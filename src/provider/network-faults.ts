import { networkCode } from '../lib/error-code.js'
import { isLoopback } from '../lib/loopback.js'

/** Code of Node or OpenSSL -> what it means, and what to do. */
type Row = readonly [pattern: RegExp, what: string, todo: string]

const ROWS: readonly Row[] = [
  [/^ENOTFOUND$/, 'its host is unknown', 'Check the host in PPOPPO_AUTH_URL, and the DNS of this machine'],
  [/^EAI_/, 'its host cannot be looked up now', 'Check the DNS of this machine'],
  [
    /^ECONNREFUSED$/,
    'it refuses connections',
    'Check that it is up, and that host and port in PPOPPO_AUTH_URL are right',
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/,
    'no way leads there',
    'Check PPOPPO_AUTH_URL, the network and the firewall; where requests leave by a proxy, set one up for Node',
  ],
  [
    // Also happens when the clock of this machine is wrong.
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    'its certificate is not valid today',
    "Check this machine's clock, and PAS's certificate",
  ],
  [
    /ALTNAME_INVALID$/,
    'its certificate is for another name',
    'Check the host in PPOPPO_AUTH_URL: it must be one that the certificate has',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|CERT_(UNTRUSTED|REJECTED|CHAIN)|INVALID_CA/,
    'nothing here vouches for its certificate',
    'Name the file of its CA in NODE_EXTRA_CA_CERTS at start, or give the option "fetch"',
  ],
  [
    /^(ERR_SSL_|EPROTO$)/,
    'it does not speak TLS as we do',
    'Check the port in PPOPPO_AUTH_URL: https:// needs the one for TLS',
  ],
  [
    /^(HPE_|UND_ERR_SOCKET$|ECONNRESET$|EPIPE$)/,
    'it breaks off, or does not speak HTTP',
    'Check scheme and port in PPOPPO_AUTH_URL: a port for TLS needs https://',
  ],
]

const DEFAULT: readonly [what: string, todo: string] = ['', 'Check PPOPPO_AUTH_URL and the network']

/** A PAS on this machine is the sandbox, and nobody has started it. */
const START_SANDBOX =
  'Start the sandbox with "npx express-ppoppo sandbox", or check host and port in PPOPPO_AUTH_URL if it runs elsewhere'

/**
 * What a failed fetch means: its code and meaning as one text, and what to do.
 * @param url what was asked
 */
export function judgeNetwork(error: unknown, url: string): { readonly why: string; readonly todo: string } {
  const code = networkCode(error)
  const [, what, todo] = ROWS.find(([pattern]) => pattern.test(code)) ?? [undefined, ...DEFAULT]
  const isSandbox = code === 'ECONNREFUSED' && isLoopback(new URL(url).hostname)
  return { why: what === '' ? code : `${code}: ${what}`, todo: isSandbox ? START_SANDBOX : todo }
}
