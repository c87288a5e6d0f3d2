import type { KoaContextWithOIDC } from 'oidc-provider'

export type Context = KoaContextWithOIDC
export type Next = () => Promise<unknown>
/** One step in front of oidc-provider's own routes. */
export type Middleware = (ctx: Context, next: Next) => Promise<void>

/** Answers with an OAuth error, as JSON. */
export function answerWithError(ctx: Context, status: number, error: string, description: string): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.body = { error, error_description: description }
}
