import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Request, RequestHandler, Response } from 'express'
import type { SessionData } from 'express-session'
import type { RaiseEvent } from '../audit-events.js'
import { assertCallOptions } from '../config/call-options.js'
import type { Config } from '../config/options.js'
import { isPpoppoError, PpoppoError } from '../errors.js'
import { isThenable } from '../lib/guards.js'
import { TIMED_OUT, within } from '../lib/wait.js'
import { toCurrentSignIn } from '../request.js'
import { readPointer } from '../session/pointer.js'
import type { OwnSession } from '../session/session.js'
import { type SignIn, toPpoppoUser } from '../vault/record.js'
import type { Vault } from '../vault/vault.js'
import { guardConnection, refuseUpgrade } from './refuse-upgrade.js'
import { createSignInWatch } from './sign-in-watch.js'
import type { RefusedVisitor, SignedInVisitor, SocketVisitor, UpgradeOptions } from './types.js'

/** What `auth.fromUpgrade()` needs. */
export interface FromUpgradeParts {
  readonly config: Pick<Config, 'origin' | 'trustedOrigins' | 'mountPath' | 'idleMs' | 'ownSession'>
  readonly ownSession: Pick<OwnSession, 'owns' | 'peek'>
  readonly pointerKey: string
  readonly vault: Pick<Vault, 'read' | 'endedOf'>
  readonly raise: RaiseEvent
  /** Aborted by `auth.close()`. */
  readonly closed: AbortSignal
}

/** Our own store has deadlines; that of an app's session may have none. */
const DEADLINE_MS = 5_000

/** Creates `auth.fromUpgrade()`: who opens a socket. Reads the session and the sign-in, and writes neither. */
export function createFromUpgrade(
  parts: FromUpgradeParts,
): <Account>(req: IncomingMessage, options?: UpgradeOptions) => Promise<SocketVisitor<Account>> {
  const { config, vault, pointerKey, raise, closed } = parts
  const watch = createSignInWatch(parts)
  const sessionOf = createSessionOf(parts)

  async function findSignIn(req: IncomingMessage, session: RequestHandler | undefined): Promise<SignIn | undefined> {
    const pointer = readPointer(await sessionOf(req, session), pointerKey)
    return pointer && vault.read(pointer.signInId)
  }

  function refused(req: IncomingMessage, status: RefusedVisitor['status'], error: PpoppoError): RefusedVisitor {
    return { status, isSignedIn: false, error, refuse: () => refuseUpgrade(req, error, config) }
  }

  function signedIn<Account>(req: IncomingMessage, signIn: SignIn): SignedInVisitor<Account> {
    return {
      status: 'signed-in',
      isSignedIn: true,
      user: toPpoppoUser(signIn),
      // The vault does not know its type.
      account: signIn.account as SignedInVisitor<Account>['account'],
      signIn: toCurrentSignIn(signIn, config.idleMs),
      onEnded: (callback) => watch.add(signIn.id, callback),
      refuse: () =>
        refuseUpgrade(req, { status: 403, code: 'forbidden', message: 'The app refuses this socket.' }, config),
    }
  }

  return async <Account>(req: IncomingMessage, options: UpgradeOptions = {}): Promise<SocketVisitor<Account>> => {
    assertArguments(req, options)
    guardConnection(req)
    if (closed.aborted) {
      return refused(req, 'unavailable', new PpoppoError('closed', 'auth.close() was called.'))
    }
    if (!isOwnSocket(req, config.origin, options.origins ?? config.trustedOrigins)) {
      const message =
        'A page of another site opened this socket. To allow that, list its origin: fromUpgrade(req, { origins }).'
      return refused(req, 'cross-site', new PpoppoError('cross_site', message))
    }
    try {
      const found = await within(findSignIn(req, options.session), DEADLINE_MS)
      if (found === TIMED_OUT) throw new PpoppoError('store_unavailable', 'The session store did not answer in time.')
      if (found) return signedIn<Account>(req, found)
      return refused(
        req,
        'signed-out',
        new PpoppoError('signed_out', 'Nobody is signed in in this browser. Sign in first.'),
      )
    } catch (error) {
      if (!isPpoppoError(error) || !['store_unavailable', 'closed'].includes(error.code)) throw error
      if (error.code === 'store_unavailable')
        raise({ type: 'store_unavailable', operation: 'upgrade', detail: error.message })
      return refused(req, 'unavailable', error)
    }
  }
}

/** The session of an upgrade: ours, the one that the app has put there, or the one that its middleware reads. */
function createSessionOf({ config, ownSession }: Pick<FromUpgradeParts, 'config' | 'ownSession'>) {
  return async (message: IncomingMessage, given: RequestHandler | undefined): Promise<SessionData | undefined> => {
    const req = message as Request
    if (req.session && !ownSession.owns(req)) return req.session
    if (config.ownSession) return ownSession.peek(req)
    if (!given) {
      throw new PpoppoError(
        'session_missing',
        'fromUpgrade() found no req.session. With "session: false" pass your session middleware: fromUpgrade(req, { session }).',
      )
    }
    // An answer that is never sent: express-session writes at its end.
    const res = new ServerResponse(req) as Response
    await new Promise<void>((resolve, reject) => {
      const called: unknown = given(req, res, (error?: unknown) => (error ? reject(toStoreError(error)) : resolve()))
      // An async middleware rejects instead of throwing.
      if (isThenable(called)) called.then(undefined, reject)
    })
    // While its store is disconnected, express-session sets no session.
    if (!req.session) throw new PpoppoError('store_unavailable', "The store of the app's session is disconnected.")
    return req.session
  }
}

function toStoreError(cause: unknown): PpoppoError {
  return new PpoppoError('store_unavailable', "The app's session could not be read.", { cause })
}

/**
 * Whether a socket is opened by one of our own pages. Browsers send `Origin` with every WebSocket, and leave it out of a
 * fetch by GET to their own site (polling of socket.io), which has `Sec-Fetch-Site`. A client that sends neither is not a
 * browser, and has no cookies to abuse.
 */
function isOwnSocket({ headers }: IncomingMessage, own: string, others: readonly string[]): boolean {
  const { origin } = headers
  if (origin !== undefined) return origin === own || others.includes(origin)
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

function assertArguments(req: IncomingMessage, options: UpgradeOptions): void {
  if (typeof req?.headers !== 'object') {
    throw invalid(
      'the first argument must be the request: "req" of server.on(\'upgrade\'), "socket.request" of socket.io',
    )
  }
  assertCallOptions(options, ['origins', 'session'], 'fromUpgrade')
  const { origins, session } = options
  if (origins !== undefined && !(Array.isArray(origins) && origins.every(isOrigin))) {
    throw invalid('"origins" must be a list of origins without a path: [\'https://spa.example.com\']')
  }
  if (session !== undefined && typeof session !== 'function') throw invalid('"session" must be a middleware')
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
}

function invalid(problem: string): PpoppoError {
  return new PpoppoError('config_invalid', `fromUpgrade: ${problem}`)
}
