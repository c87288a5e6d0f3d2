/*
 * `express-ppoppo/react`: for bundlers and server rendering. Imports React and what runs in a browser, nothing else. Without
 * React, the bundler or Node says that it cannot find the package "react".
 */
import { useMemo, useSyncExternalStore } from 'react'
import { createSignInClient, type SignInClient, type SignInState, UNKNOWN } from './client.js'

export type { SignInClient, SignInState } from './client.js'

/** What {@link useSignIn} returns: the state, and what a person can do. */
export interface UseSignIn extends SignInState, Pick<SignInClient, 'signIn' | 'signOut' | 'refresh'> {}

/** Options of {@link useSignIn}. */
export interface UseSignInOptions {
  /** The routes: `mountPath`, or their URL if they are on another origin. @default '/auth' */
  readonly mountPath?: string
}

/** One per address, for all components of the page. */
const clients = new Map<string, SignInClient>()

function clientFor(base: string): SignInClient {
  const client = clients.get(base) ?? createSignInClient(base)
  clients.set(base, client)
  return client
}

/**
 * Who is signed in. The component renders again when that changes: by a sign-out in another tab, by expiry. On a server, and
 * in the first render of a page that it sent, `status` is `unknown`.
 *
 * @example
 * const { status, user, signIn, signOut } = useSignIn()
 * if (status === 'signed-out') return <button onClick={() => signIn()}>Sign in</button>
 */
export function useSignIn({ mountPath = '/auth' }: UseSignInOptions = {}): UseSignIn {
  // The client starts with the first subscription, and a server has none.
  const store = useMemo(
    () => ({
      subscribe: (listener: () => void) => clientFor(mountPath).subscribe(listener),
      getState: () => clients.get(mountPath)?.getState() ?? UNKNOWN,
      signIn: (returnTo?: string) => clientFor(mountPath).signIn(returnTo),
      signOut: (options?: Parameters<SignInClient['signOut']>[0]) => clientFor(mountPath).signOut(options),
      refresh: () => clientFor(mountPath).refresh(),
    }),
    [mountPath],
  )
  const { subscribe, getState, ...actions } = store
  return { ...useSyncExternalStore(subscribe, getState, () => UNKNOWN), ...actions }
}
