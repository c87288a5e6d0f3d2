/** The parts of oidc-provider used here, loaded at run time so that its warnings can be sorted first. */
export type OidcModule = typeof import('oidc-provider')

let loading: Promise<OidcModule> | undefined

/**
 * Imports oidc-provider. On Node 20 it warns, on import, that it wants Node 22; it works there (our tests run on it),
 * and the line would only worry people. That one line is dropped; anything else it says goes through.
 */
export function loadOidcModule(): Promise<OidcModule> {
  loading ??= importQuietly()
  return loading
}

async function importQuietly(): Promise<OidcModule> {
  const { warn } = console
  const filtered = (...parts: unknown[]): void => {
    if (!String(parts[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn.apply(console, parts)
  }
  console.warn = filtered
  try {
    return await import('oidc-provider')
  } finally {
    // Someone may have replaced console.warn meanwhile; theirs stays.
    if (console.warn === filtered) console.warn = warn
  }
}
