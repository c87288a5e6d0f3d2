import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express, { type Request, type RequestHandler } from 'express'

/** What a request without a connection is made of. */
export interface SessionRequestParts {
  /** The public origin that the request is for. */
  readonly origin: string
  readonly session: RequestHandler
  readonly userAgent: string
}

/**
 * Runs `work` in an Express request that has a session and comes over no connection.
 * @returns the cookies that the answer sets, as `name=value`
 */
export async function inSessionRequest(
  { origin, session, userAgent }: SessionRequestParts,
  work: (req: Request) => Promise<void>,
): Promise<readonly string[]> {
  const { host, protocol } = new URL(origin)
  const socket = Object.assign(new Socket(), { encrypted: protocol === 'https:' })
  const message = Object.assign(new IncomingMessage(socket), {
    method: 'GET',
    url: '/',
    headers: { host, 'user-agent': userAgent },
  })
  const answer = new ServerResponse(message)
  const app = express()
  app.use(session)
  try {
    await new Promise<void>((resolve, reject) => {
      app.use((req, _res, next) => void work(req).then(resolve, next))
      app(message as Request, answer as express.Response, reject)
    })
    // Sends nothing, but makes listeners for the headers add their cookies.
    answer.writeHead(204)
    return [answer.getHeader('set-cookie') ?? []].flat().map((line) => String(line).split(';')[0] ?? '')
  } finally {
    socket.destroy()
  }
}
