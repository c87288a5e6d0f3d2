/**
 * What of a wish PAS can do: an account chooser only where it announces one. Every provider knows `login` (OIDC Core 15.1),
 * by which another account can be used, too.
 */
export function promptOf(wished: string | undefined, announced: unknown): { prompt?: string } {
  if (wished === undefined) return {}
  const known: readonly unknown[] = Array.isArray(announced) ? announced : ['login', 'consent']
  const prompt = wished === 'select_account' && !known.includes(wished) ? 'login' : wished
  return known.includes(prompt) ? { prompt } : {}
}
