/**
 * A messaging service as a process, for benchmarks of clients: it answers every call with bytes made beforehand, over plain
 * HTTP/2, so that it is never what is measured. It checks nothing. Beside it, a token endpoint.
 */
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { EVENTS, messages } from '../lib/messages.mjs'

const WINDOW_BYTES = 16 * 1024 * 1024
const CHUNK_EVENTS = 100
const TYPE = { ':status': 200, 'content-type': 'application/grpc+proto' }

const ANSWERS = {
  '/chat.external.ExternalAppService/GetAppStats': messages.appStats(),
  '/chat.external.ExternalMessageService/CreateSendRequest': messages.receipt(),
}
const EVENTS_PATH = '/chat.external.ExternalMessageService/StreamSendRequestEvents'
const chunks = []
for (let first = 0; first < EVENTS; first += CHUNK_EVENTS) {
  const frames = Array.from({ length: Math.min(CHUNK_EVENTS, EVENTS - first) }, (_, index) =>
    messages.event(first + index),
  )
  chunks.push(Buffer.concat(frames))
}

const pcs = createHttp2Server({ settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 1_000 } })
pcs.on('session', (session) => {
  session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES))
  session.on('error', () => session.destroy())
})
pcs.on('stream', (stream, headers) => {
  stream.on('error', () => stream.destroy())
  stream.resume()
  if (headers[':path'] === EVENTS_PATH) return sendEvents(stream)
  const answer = ANSWERS[headers[':path']]
  stream.once('end', () => {
    stream.respond(TYPE, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': answer ? '0' : '12' }))
    stream.end(answer)
  })
})

/** All there are, as fast as the client takes them; then the stream stays open. */
function sendEvents(stream) {
  let next = 0
  stream.respond(TYPE)
  const write = () => {
    while (next < chunks.length && !stream.destroyed) {
      next += 1
      if (!stream.write(chunks[next - 1])) return
    }
  }
  stream.on('drain', write)
  write()
}

const tokens = createServer((req, res) => {
  req.resume().once('end', () => {
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify({ access_token: 'a'.repeat(700), token_type: 'Bearer', expires_in: 3_600 }))
  })
})

const listen = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
const [port, tokenPort] = [await listen(pcs), await listen(tokens)]
process.once('disconnect', () => process.exit(0))
process.send({ port, tokenUrl: `http://127.0.0.1:${tokenPort}/oauth/token` })
