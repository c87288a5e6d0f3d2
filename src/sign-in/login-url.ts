import type { Request } from 'express'
import { toOwnOrigin } from '../http/asked-host.js'
import { inputOf } from '../http/request-reading.js'
import { WISH_PARAMS } from '../login-link/login-params.js'
import { toReturnParam } from '../login-link/return-to.js'
import type { RouteParts } from './route-parts.js'

/** Parameter of login: the guard has redirected a form here. */
export const AFTER_FORM = 'after_form'

/** Parameters that a redirected login keeps, besides `return_to`. */
const KEPT = [AFTER_FORM, ...WISH_PARAMS]

/** The URL of `GET /login` at `baseUrl`, with all parameters of a login request. */
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
