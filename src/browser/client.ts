/*
 * Runs in browsers: imports nothing, and uses only what browsers have. `node scripts/client-script.mjs` makes the text of
 * `/auth/client.js` from this file.
 */

/** Who is signed in, as far as the page knows. Frozen, and another object after each change. */
export interface SignInState {
  /** `unknown` until the first answer. */
  readonly status: 'unknown' | 'signed-in' | 'signed-out'
  /** Who is signed in. */
  readonly user?: { readonly sub: string; readonly ppnum: string }
  /** When the sign-in ends unless it is used, RFC 3339. */
  readonly expiresAt?: string
  /** Whether the last check failed: what is known may be out of date. */
  readonly isStale: boolean
}

/** The sign-in of this browser. */
export interface SignInClient {
  /** What is known now. */
  getState(): SignInState
  /** Calls `listener` after every change. @returns a function that unsubscribes */
  subscribe(listener: (state: SignInState) => void): () => void
  /** Asks the server now. */
  refresh(): Promise<SignInState>
  /**
   * Leaves the page for the sign-in, and comes back to `returnTo`. Routes on another origin come back here only if it is one of
   * their `allowedReturnOrigins`. A place that the login does not accept, or that is no URL, becomes the app's home. Never throws.
   * @default this page
   */
  signIn(returnTo?: string): void
  /**
   * Signs out this browser, or with `everywhere` all browsers of this person.
   * @throws Error if the person is still signed in: the store is down, or the network
   */
  signOut(options?: { readonly everywhere?: boolean }): Promise<void>
}

// The parts of a browser that are used: the library is compiled without the types of the DOM.
declare const document: { readonly visibilityState: string }
declare const location: {
  readonly href: string
  readonly pathname: string
  readonly search: string
  assign(url: string): void
}
declare const addEventListener: (name: string, listener: (event: { readonly persisted?: boolean }) => void) => void

/** What a server render and the first render of a page show. */
export const UNKNOWN: SignInState = Object.freeze({ status: 'unknown', isStale: false })

/**
 * Follows the sign-in: asks at the start, on focus, when the network is back, and around the time of expiry; tabs notify
 * each other.
 *
 * @param base URL of the routes: `/auth`, or `https://app.example/auth`
 */
export function createSignInClient(base: string): SignInClient {
  const listeners = new Set<(state: SignInState) => void>()
  const channel = new BroadcastChannel(`ppoppo:${new URL(base, location.href)}`)
  let state = UNKNOWN
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const keyOf = ({ status, user }: SignInState): string => status + (user ? user.sub : '')
  const ask = (path: string, init: RequestInit): Promise<Response> =>
    fetch(base + path, { credentials: 'include', ...init })

  const setState = (next: SignInState): void => {
    const isSame = keyOf(next) === keyOf(state) && next.expiresAt === state.expiresAt && next.isStale === state.isStale
    if (isSame) return
    state = Object.freeze(next)
    for (const listener of [...listeners]) listener(state)
  }

  // A little before the end, since use in another tab may have moved it; then right after it. Clocks may differ.
  const schedule = (): void => {
    clearTimeout(timer)
    if (!state.expiresAt) return
    const left = Date.parse(state.expiresAt) - Date.now()
    timer = setTimeout(refresh, Math.min(left > 6e3 ? left - 5e3 : left > 0 ? left + 500 : 6e4, 864e5))
  }

  const refresh = async (): Promise<SignInState> => {
    const turn = ++latest
    let next: SignInState = { ...state, isStale: true }
    try {
      const response = await ask('/session', { headers: { accept: 'application/json' } })
      if (response.ok) {
        const { signedIn, user, expiresAt } = (await response.json()) as Record<string, never>
        next = {
          status: signedIn ? 'signed-in' : 'signed-out',
          ...(signedIn ? { user, expiresAt } : {}),
          isStale: false,
        }
      }
    } catch {
      // Offline: what is known stays.
    }
    // Otherwise a newer request is on its way, and its answer counts.
    if (turn === latest) {
      const hasChanged = keyOf(next) !== keyOf(state)
      setState(next)
      if (hasChanged) channel.postMessage(keyOf(next))
      schedule()
    }
    return state
  }

  const look = (): void => {
    if (document.visibilityState === 'visible') void refresh()
  }
  for (const name of ['focus', 'online', 'visibilitychange']) addEventListener(name, look)
  // Restored by the back button: what the page shows may be out of date.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) look()
  })
  channel.onmessage = ({ data }) => {
    if (data !== keyOf(state)) void refresh()
  }
  void refresh()

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh,
    signIn(returnTo) {
      // Scripts without types also pass an event: `button.onclick = signIn`.
      let to = typeof returnTo === 'string' ? returnTo : location.pathname + location.search
      try {
        const { href, origin } = new URL(to, location.href)
        // Routes on another origin would take a path for one of theirs.
        if (new URL(base, href).origin !== origin) to = href
      } catch {
        // Malformed: the login goes to the app's home instead, as with any place that it does not accept.
      }
      location.assign(`${base}/login?${new URLSearchParams({ return_to: to })}`)
    },
    async signOut({ everywhere } = {}) {
      const body = new URLSearchParams(everywhere ? { everywhere: '1' } : {})
      const response = await ask('/logout', { method: 'POST', headers: { accept: 'application/json' }, body })
      if (!response.ok) throw new Error(`Sign-out failed with status ${response.status}: you are still signed in`)
      await refresh()
    },
  }
}
