import type { RequestHandler } from 'express'
import type { RouteParts } from './sign-in/route-parts.js'

/** The parts of an instance that `express-ppoppo/testing` uses. */
export interface InstanceParts extends Pick<RouteParts, 'config' | 'pointerKey' | 'vault'> {
  /** The session middleware, or one that leaves `req.session` alone where the app brings its own. */
  readonly session: RequestHandler
}

const instances = new WeakMap<object, InstanceParts>()

/** Remembers which instance these handlers belong to, for as long as they exist. */
export function rememberInstance(handlers: readonly object[], parts: InstanceParts): void {
  for (const handler of handlers) instances.set(handler, parts)
}

/** The instance that a handler belongs to: `auth` itself, or one of its three parts. */
export function instanceOf(handler: object): InstanceParts | undefined {
  return instances.get(handler)
}
