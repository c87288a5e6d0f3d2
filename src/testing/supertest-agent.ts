import type { RequestHandler } from 'express'
import { type InstanceParts, instanceOf } from '../instances.js'

/** The part of a supertest agent (`request.agent(app)`) that is used here. */
export interface SupertestAgent {
  /** The agent's cookies (package `cookiejar`). */
  readonly jar: { setCookie(cookie: string, host: string, path: string): unknown }
  /** What the agent calls: an app, a server or a URL. */
  readonly app?: unknown
}

export function isSupertestAgent(value: unknown): value is SupertestAgent {
  const jar: unknown = Reflect.get(Object(value), 'jar')
  return typeof Reflect.get(Object(jar), 'setCookie') === 'function'
}

/** Puts a cookie into the agent. supertest calls apps on 127.0.0.1. */
export function addCookie({ jar }: SupertestAgent, cookie: string): void {
  // Without "Secure", which would keep the agent from sending it over the http that supertest speaks.
  for (const pair of cookie.split('; ')) jar.setCookie(`${pair}; Path=/`, '127.0.0.1', '/')
}

/** @internal The instances that are mounted in the app an agent calls. */
export function instancesIn(agent: SupertestAgent): readonly InstanceParts[] {
  const found = handlersIn(agent).map(instanceOf)
  return [...new Set(found.filter((instance) => instance !== undefined))]
}

/** The session middleware that is mounted in the app an agent calls, by the name that express-session gives it. */
export function sessionsIn(agent: SupertestAgent): readonly RequestHandler[] {
  return handlersIn(agent).filter(
    (handler): handler is RequestHandler => typeof handler === 'function' && handler.name === 'session',
  )
}

/** All that is mounted, in the order of a request. */
function handlersIn({ app }: SupertestAgent): readonly object[] {
  const seen = new Set<object>()
  const visit = (handler: unknown): void => {
    if ((typeof handler !== 'function' && typeof handler !== 'object') || handler === null || seen.has(handler)) return
    seen.add(handler)
    for (const layer of layersOf(handler)) {
      visit(Reflect.get(Object(layer), 'handle'))
      visit(Reflect.get(Object(layer), 'route'))
    }
  }
  for (const listener of listenersOf(app)) visit(listener)
  return [...seen]
}

function listenersOf(app: unknown): readonly unknown[] {
  const listeners: unknown = Reflect.get(Object(app), 'listeners')
  return typeof app === 'object' && typeof listeners === 'function' ? Reflect.apply(listeners, app, ['request']) : [app]
}

/** An app has a router (`_router` in Express 4, whose `router` throws when it is read), a router has layers. */
function layersOf(handler: object): readonly unknown[] {
  const own: unknown = Reflect.get(handler, 'stack')
  if (Array.isArray(own)) return own
  const router: unknown =
    Reflect.get(handler, '_router') ?? (isExpress4(handler) ? undefined : Reflect.get(handler, 'router'))
  const stack: unknown = Reflect.get(Object(router), 'stack')
  return Array.isArray(stack) ? stack : []
}

function isExpress4(handler: object): boolean {
  return typeof Reflect.get(handler, 'lazyrouter') === 'function'
}
