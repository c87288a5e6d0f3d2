import type { Config } from '../config/options.js'
import { type AskedFor, isUnderPath, pathOf, targetOf, toOriginForm } from '../lib/request-target.js'

/** A request as far as its address goes. `baseUrl` is where Express has mounted what is running. */
export interface AddressedRequest extends AskedFor {
  readonly baseUrl?: string
}

/** What is known of a request's address: that of the app alone may lack a prefix that a proxy has stripped. */
export interface RequestAddress {
  /** The path below `mountPath`, e.g. `/login`, in lower case as Express compares; `undefined` for what is none of ours. */
  routeOf(req: AddressedRequest): string | undefined
  /** The address as the visitor's browser has it: absolute, on the public origin, whatever host was asked. */
  publicUrlOf(req: AddressedRequest): string
  /** A path of the app as browsers have it: with the prefix that a proxy strips, where it lacks it. */
  toPublicPath(path: string): string
}

export function createRequestAddress(
  config: Pick<Config, 'origin' | 'mountPath' | 'basePath' | 'strippedPrefix'>,
): RequestAddress {
  const { origin, mountPath, basePath, strippedPrefix } = config

  /** Where nobody has said what is stripped, a path under the base path is whole. */
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

  return {
    routeOf(req) {
      // As Express routes it, which an app may have rewritten; then as it came, which a hop may have cut short.
      const routed = (req.baseUrl ?? '') + pathOf(toOriginForm(req.url ?? '/'))
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
