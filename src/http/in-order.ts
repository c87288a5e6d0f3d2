import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'

/**
 * A middleware that needs nothing of Express: it also takes a request of plain Node, as on an upgrade
 * (`server.on('upgrade')`, or socket.io's `io.engine.use(auth.session)`), and any object in place of the answer.
 */
export interface PlainHandler extends RequestHandler {
  (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void): void
}

/** Several handlers as one, without a router's path matching. */
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
        // What comes after us threw, outside of Express: it has been called, and is not called a second time.
        if (hasLeft) throw error
        // Express looks only at what the first step throws: the others may run after something awaited.
        leave(error)
      }
    }
    step(0)
  }
  // The types are Express's, whose additions none of the handlers needs.
  return Object.defineProperty(chain, 'name', { value: name }) as PlainHandler
}
