import type { Config } from '../config/options.js'
import { type AskedFor, isUnderPath, pathOf, targetOf, toOriginForm } from '../lib/request-target.js'

/** The address of a request. `baseUrl` is the path at which Express has mounted the current handler. */
export interface AddressedRequest extends AskedFor {
  readonly baseUrl?: string
}

/** Derives addresses from a request. The one that the app sees may lack a prefix that a proxy has stripped. */
export interface RequestAddress {
  /** The path below `mountPath`, e.g. `/login`, in lower case as Express compares; `undefined` if it is not ours. */
  routeOf(req: AddressedRequest): string | undefined
  /** The address as the browser shows it: absolute, on the public origin, whatever host was asked. */
  publicUrlOf(req: AddressedRequest): string
  /** A path of the app as browsers see it: with the prefix that a proxy strips, if it is missing. */
  toPublicPath(path: string): string
}

export function createRequestAddress(
  config: Pick<Config, 'origin' | 'mountPath' | 'basePath' | 'strippedPrefix'>,
): RequestAddress {
  const { origin, mountPath, basePath, strippedPrefix } = config

  /** If the stripped prefix is not configured, a path under the base path counts as complete. */
  const withPrefix = (path: string): string => {
    if (strippedPrefix !== 'detect') return strippedPrefix + path
    return isUnderPath(path, basePath) ? path : basePath + path
  }

  function below(path: string): string | undefined {
    const whole = withPrefix(path)
    if (!isUnderPath(whole, mountPath)) return undefined
    const route = whole.slice(mountPath.length).replace(/\/$/, '').toLowerCase()
    return route.lastIndexOf('/') === 0 ? route : undefined
  }

  const own = mountPath.slice(basePath.length)
  /** Every route has this in its path, and no proxy strips it: most requests need no more than a look. */
  const last = own.slice(own.lastIndexOf('/')).toLowerCase()
  const isElsewhere = (path: string): boolean => !path.toLowerCase().includes(last)

  return {
    routeOf(req) {
      const { url = '/', baseUrl = '', originalUrl = url } = req
      if (isElsewhere(originalUrl) && isElsewhere(url) && isElsewhere(baseUrl)) return undefined
      // First as Express routes it, since an app may have rewritten it; then as sent, which a hop may have shortened.
      const routed = baseUrl + pathOf(toOriginForm(url))
      const sent = pathOf(targetOf(req))
      return below(routed) ?? (sent === routed ? undefined : below(sent))
    },
    publicUrlOf(req) {
      const target = targetOf(req)
      const path = pathOf(target)
      return origin + withPrefix(path) + target.slice(path.length)
    },
    toPublicPath(path) {
      if (strippedPrefix === '' || isUnderPath(path, basePath)) return path
      return (strippedPrefix === 'detect' ? basePath : strippedPrefix) + path
    },
  }
}
