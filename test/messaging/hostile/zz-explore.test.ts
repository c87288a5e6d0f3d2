import { test } from '@jest/globals'
import { call, connect, outcomeOf, startTokenEndpoint } from './hostile-client.js'
import * as R from './raw-server.js'
import { type Script, startRawServer } from './raw-server.js'

const rows: Record<string, Script> = {
  rst0: R.answerReset(0),
  rst1: R.answerReset(1),
  rst2: R.answerReset(2),
  rst7: R.answerReset(7),
  rst8: R.answerReset(8),
  rst11: R.answerReset(11),
  rst12: R.answerReset(12),
  rst13: R.answerReset(13),
  rst2AfterHeaders: (s) => {
    R.answerHeaders(s)
    setTimeout(() => s.close(2), 20)
  },
  rst7AfterHeaders: (s) => {
    R.answerHeaders(s)
    setTimeout(() => s.close(7), 20)
  },
  noTrailers: (s) => {
    R.answerHeaders(s)
    s.end(R.messageFor(s))
  },
  noTrailersNoMessage: (s) => {
    R.answerHeaders(s)
    s.end()
  },
  goaway0: (s, _c, srv) => {
    for (const x of srv.sessions) {
      x.goaway(0, 0)
      setTimeout(() => x.destroy(), 30)
    }
  },
  goawayThenClose: (s, _c, srv) => {
    for (const x of srv.sessions) {
      x.goaway(0)
      setTimeout(() => x.destroy(), 30)
    }
  },
  goawayCalm: (s, _c, srv) => {
    for (const x of srv.sessions) {
      x.goaway(11, 0, Buffer.from('too_many_pings'))
      setTimeout(() => x.destroy(), 30)
    }
  },
  tcpReset: (_s, _c, srv) => {
    for (const x of srv.sockets) x.resetAndDestroy()
  },
  tcpFin: (_s, _c, srv) => {
    for (const x of srv.sockets) x.destroy()
  },
  tcpResetAfterHeaders: (s, _c, srv) => {
    R.answerHeaders(s)
    setTimeout(() => {
      for (const x of srv.sockets) x.resetAndDestroy()
    }, 30)
  },
  ...Object.fromEntries([400, 401, 403, 404, 429, 500, 502, 503, 504].map((n) => [`http${n}`, R.answerHttp(n)])),
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((n) => [`grpc${n}`, R.answerStatus(n, `said ${n}`)]),
  ),
  forged: R.answerStatus(14, 'No connection established. Last error: x'),
  forgedLate: R.answerStatus(14, 'No connection established. Last error: x', {}, true),
  forgedRefused: R.answerStatus(14, 'Stream refused by server'),
  forged429: R.answerStatus(14, 'Received HTTP status code 429'),
  forged4: R.answerStatus(4, 'Deadline exceeded after 0.1s,Waiting for LB pick'),
  forged8: R.answerStatus(8, 'Received message larger than max'),
  calm: R.answerReset(11),
}
test('explore', async () => {
  const tokens = await startTokenEndpoint()
  for (const [name, script] of Object.entries(rows)) {
    for (const op of ['status', 'send'] as const) {
      const out: string[] = []
      for (const mode of ['always', 'once'] as const) {
        const server = await startRawServer((s, c, srv) =>
          mode === 'always' || c === 0 ? script(s, c, srv) : R.answerWell(s),
        )
        const m = connect(server.url, tokens.url, { deadlineMs: 3000 })
        const t = Date.now()
        const { outcome, error } = await outcomeOf(call(m, op))
        out.push(
          `${mode}: seen ${server.seen.length} conns ${server.accepted} ${outcome} ${Date.now() - t}ms ${mode === 'always' ? (error?.cause as Error)?.message : ''}`,
        )
        await m.close()
        await server.close()
      }
      process.stdout.write(`${name} ${op} | ${out.join(' | ')}\n`)
    }
  }
  await tokens.close()
}, 200000)
