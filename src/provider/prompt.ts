/**
 * The `prompt` for a wish, if PAS supports it. An account chooser that PAS does not announce becomes `login`, which
 * every provider knows (OIDC Core 15.1) and which also lets people use another account.
 */
export function promptOf(wished: string | undefined, announced: unknown): { prompt?: string } {
  if (wished === undefined) return {}
  const known: readonly unknown[] = Array.isArray(announced) ? announced : ['login', 'consent']
  const prompt = wished === 'select_account' && !known.includes(wished) ? 'login' : wished
  return known.includes(prompt) ? { prompt } : {}
}
