import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'

/**
 * A middleware that does not need Express: it also accepts a plain Node request, as on an upgrade
 * (`server.on('upgrade')`, or socket.io's `io.engine.use(auth.session)`), and any object instead of the response.
 */
export interface PlainHandler extends RequestHandler {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
}

/** Runs several handlers as one, without the path matching of a router. */
export function inOrder(name: string, handlers: readonly RequestHandler[]): PlainHandler {
  const chain: RequestHandler = (req, res, next) => {
    let index = 0
    let hasLeft = false
    // One function for all steps, because every request creates it.
    const step = (error?: unknown): void => {
      const handler = error ? undefined : handlers[index]
      index += 1
      if (!handler) {
        hasLeft = true
        return next(error)
      }
      try {
        void handler(req, res, step)
      } catch (thrown) {
        // Outside Express, the handler after us threw. It must not be called a second time.
        if (hasLeft) throw thrown
        // Express only catches what the first step throws, because the others may run asynchronously.
        hasLeft = true
        next(thrown)
      }
    }
    step()
  }
  // The types are those of Express, but no handler needs its additions.
  return Object.defineProperty(chain, 'name', { value: name }) as PlainHandler
}
