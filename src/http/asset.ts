import { hash } from 'node:crypto'
import type { Request, Response } from 'express'

/** A file that is the same for everybody. */
export interface Asset {
  /** Without its charset, which is UTF-8. */
  readonly type: string
  readonly body: string
  readonly etag: string
}

/** An asset with the ETag of its content. */
export function toAsset(type: string, body: string): Asset {
  return { type, body, etag: `"${hash('sha256', body, 'base64url').slice(0, 27)}"` }
}

/** The same for everybody, so caches may store it. If the client has this ETag, `res.send` answers 304. */
export function sendAsset(_req: Request, res: Response, { type, body, etag }: Asset): void {
  res.set({
    'Content-Type': `${type}; charset=utf-8`,
    'Cache-Control': 'public, max-age=3600, stale-while-revalidate=86400',
    ETag: etag,
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'cross-origin',
    // Module scripts and integrity checks from other origins need it, and nothing here is private.
    'Access-Control-Allow-Origin': '*',
    'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  })
  res.send(body)
}
