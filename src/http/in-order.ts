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
    let hasLeft = false
    const leave = (error?: unknown): void => {
      hasLeft = true
      next(error)
    }
    const step = (index: number): void => {
      const handler = handlers[index]
      if (!handler) return leave()
      try {
        void handler(req, res, (error?: unknown) => (error ? leave(error) : step(index + 1)))
      } catch (error) {
        // Outside Express, the handler after us threw. It must not be called a second time.
        if (hasLeft) throw error
        // Express only catches what the first step throws, because the others may run asynchronously.
        leave(error)
      }
    }
    step(0)
  }
  // The types are those of Express, but no handler needs its additions.
  return Object.defineProperty(chain, 'name', { value: name }) as PlainHandler
}
