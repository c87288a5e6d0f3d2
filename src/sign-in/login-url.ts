import type { Request } from 'express'
import { toOwnOrigin } from '../http/asked-host.js'
import { inputOf } from '../http/request-reading.js'
import { WISH_PARAMS } from '../login-link/login-params.js'
import { toReturnParam } from '../login-link/return-to.js'
import type { RouteParts } from './route-parts.js'

/** Parameter of a login that a guarded form was sent to. */
export const AFTER_FORM = 'after_form'

/** What a login that is sent on keeps, besides where to return to. */
const KEPT = [AFTER_FORM, ...WISH_PARAMS]

/** `GET /login` at `baseUrl`, with all that a request to login asks for. */
export function loginUrlOf(
  req: Request,
  { config, toReturnTo }: Pick<RouteParts, 'config' | 'toReturnTo'>,
  more: Readonly<Record<string, string>> = {},
): string {
  const query = new URLSearchParams(more)
  const returnTo = inputOf(req, 'return_to')
  if (returnTo !== undefined) {
    const place = toReturnTo(toOwnOrigin(returnTo, req, config.origin))
    query.set('return_to', toReturnParam(place, config.origin, toReturnTo))
  }
  for (const name of KEPT) {
    const value = inputOf(req, name)
    if (value !== undefined) query.set(name, value)
  }
  const asked = query.toString()
  return `${config.origin}${config.mountPath}/login${asked === '' ? '' : `?${asked}`}`
}
