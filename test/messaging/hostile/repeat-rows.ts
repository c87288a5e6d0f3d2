import {
  answerHeaders,
  answerHttp,
  answerReset,
  answerStatus,
  messageFor,
  type RawServer,
  type Script,
} from './raw-server.js'

/** After headers, in the middle of a call. */
const later = (work: () => void) => setTimeout(work, 20)
const resetSockets = (server: RawServer): void => {
  for (const socket of server.sockets) socket.resetAndDestroy()
}

const resetSocketsOf: Script = (_stream, _call, server) => resetSockets(server)

/** What happened, gRPC's status and text as the error tells it, and what is to come of it. */
export interface Row {
  readonly what: string
  readonly script: Script
  readonly told: string
  /** `repeats`: in the end it works; else the code, and the server saw one call. */
  readonly read: string
  readonly send: string
  /** Streams the server sees of a call that may be tried 4 times and never works. */
  readonly most?: number
  /** The code where it never works. */
  readonly always?: string
}

export const UNKNOWN = 'send_outcome_unknown'
export const AWAY = 'messaging_unavailable'
const UNCLEAR = 'messaging_response_invalid'
const ENDED = 'gRPC status 13: Received RST_STREAM with code 0 (Call ended without gRPC status)'

/** The repeat table, row by row. */
export const ROWS: readonly Row[] = [
  ...[
    { what: 'RST_STREAM NO_ERROR', script: answerReset(0), told: ENDED },
    { what: 'RST_STREAM 1', script: answerReset(1), told: 'gRPC status 13: Received RST_STREAM with code 1' },
    {
      what: 'RST_STREAM 2',
      script: answerReset(2),
      told: 'gRPC status 13: Received RST_STREAM with code 2 (Internal server error)',
    },
    {
      what: 'RST_STREAM INADEQUATE_SECURITY, which denies the app nothing',
      script: answerReset(12),
      told: 'gRPC status 13: Protocol not secure enough',
    },
    {
      what: 'headers, then RST_STREAM 2',
      script: ((stream) => {
        answerHeaders(stream)
        later(() => stream.close(2))
      }) satisfies Script,
      told: ENDED,
    },
    {
      what: 'headers, then REFUSED_STREAM, as no server may',
      script: ((stream) => {
        answerHeaders(stream)
        later(() => stream.close(7))
      }) satisfies Script,
      told: ENDED,
    },
    {
      what: '200 with a message, without trailers',
      script: ((stream) => {
        answerHeaders(stream)
        stream.end(messageFor(stream))
      }) satisfies Script,
      told: ENDED,
    },
    { what: 'CANCELLED not by us', script: answerReset(8), told: 'gRPC status 1: Call cancelled' },
    { what: 'CANCELLED as a status', script: answerStatus(1, 'ended'), told: 'gRPC status 1: ended' },
    {
      what: 'the connection reset',
      script: resetSocketsOf,
      told: 'gRPC status 14: read ECONNRESET',
    },
    {
      what: 'the connection reset after headers',
      script: ((stream, _call, server) => {
        answerHeaders(stream)
        later(() => resetSockets(server))
      }) satisfies Script,
      told: 'gRPC status 14: read ECONNRESET',
    },
    {
      what: 'the connection closed',
      script: ((_stream, _call, server) => {
        for (const socket of server.sockets) socket.destroy()
      }) satisfies Script,
      told: 'gRPC status 14: Connection dropped',
    },
    {
      what: 'GOAWAY, then the connection closed',
      script: ((_stream, _call, server) => {
        for (const session of server.sessions) {
          session.goaway(0)
          later(() => session.destroy())
        }
      }) satisfies Script,
      told: 'gRPC status 14: Connection dropped',
    },
    { what: 'HTTP 502', script: answerHttp(502), told: 'gRPC status 14: Received HTTP status code 502' },
    { what: 'HTTP 503', script: answerHttp(503), told: 'gRPC status 14: Received HTTP status code 503' },
    { what: 'HTTP 504', script: answerHttp(504), told: 'gRPC status 14: Received HTTP status code 504' },
    { what: 'INTERNAL', script: answerStatus(13, 'panic'), told: 'gRPC status 13: panic' },
    { what: 'UNAVAILABLE', script: answerStatus(14, 'not now'), told: 'gRPC status 14: not now' },
    ...['No connection established', 'Stream refused by server', 'Received HTTP status code 429'].flatMap((text) =>
      [false, true].map((isLate) => ({
        what: `a server that says "${text}"${isLate ? ' in trailers' : ''}, and thus got the call`,
        script: answerStatus(14, text, {}, isLate),
        told: `gRPC status 14: ${text}`,
      })),
    ),
  ].map((row): Row => ({ ...row, read: 'repeats', send: UNKNOWN })),
  {
    what: 'REFUSED_STREAM',
    script: answerReset(7),
    told: 'gRPC status 14: Stream refused by server',
    read: 'repeats',
    send: 'repeats',
    // grpc-js asks once more by itself, each time.
    most: 8,
  },
  {
    what: 'UNAUTHENTICATED',
    script: answerStatus(16, 'expired'),
    told: 'gRPC status 16: expired',
    read: 'repeats',
    send: 'repeats',
    most: 2,
    always: 'credentials_rejected',
  },
  // A page is nobody's verdict; where nothing else ever came, the URL may be wrong.
  ...(
    [
      [401, 16, 'repeats'],
      [407, 2, 'repeats'],
      [414, 2, 'repeats'],
      [421, 2, 'repeats'],
      [431, 2, 'repeats'],
      // Of these a firewall or a gateway may have made the page after PCS had the send.
      [403, 7, UNKNOWN],
      [404, 12, UNKNOWN],
      [405, 2, UNKNOWN],
      [410, 2, UNKNOWN],
      [415, 2, UNKNOWN],
      [451, 2, UNKNOWN],
      [302, 2, UNKNOWN],
    ] as const
  ).map(
    ([status, code, send]): Row => ({
      what: `HTTP ${status}`,
      script: answerHttp(status),
      told: `gRPC status ${code}: Received HTTP status code ${status}`,
      read: 'repeats',
      send,
      always: 'messaging_misconfigured',
    }),
  ),
  {
    what: 'a page with 200, whose letters look like the length of a message',
    script: answerHttp(200),
    told: 'gRPC status 8: Received message larger than max (1752460652 vs 16777216)',
    read: 'repeats',
    send: UNKNOWN,
    always: 'messaging_misconfigured',
  },
  ...(
    [
      [400, 13, 'messaging_misconfigured'],
      [500, 2, AWAY],
    ] as const
  ).map(
    ([status, code, always]): Row => ({
      what: `HTTP ${status}`,
      script: answerHttp(status),
      told: `gRPC status ${code}: Received HTTP status code ${status}`,
      read: 'repeats',
      send: UNKNOWN,
      always,
    }),
  ),
  ...[
    {
      what: 'HTTP 429',
      script: answerHttp(429),
      told: 'gRPC status 14: Received HTTP status code 429',
      always: 'rate_limited',
    },
    {
      what: 'HTTP 429 with Retry-After',
      script: answerHttp(429, { 'retry-after': '0' }),
      told: 'gRPC status 14: Received HTTP status code 429',
    },
    ...['retry-after-ms', 'retry-after'].map((hint) => ({
      what: `RESOURCE_EXHAUSTED with ${hint}`,
      script: answerStatus(8, 'slow down', { [hint]: '0' }),
      told: 'gRPC status 8: slow down',
    })),
  ].map((row): Row => ({ ...row, read: 'repeats', send: 'repeats' })),
  ...(
    [
      ['RESOURCE_EXHAUSTED without a hint', answerStatus(8, 'quota'), 'gRPC status 8: quota', 'quota_exceeded'],
      ['INVALID_ARGUMENT', answerStatus(3, 'ppnum'), 'gRPC status 3: ppnum', 'request_invalid'],
      ['NOT_FOUND', answerStatus(5, 'template'), 'gRPC status 5: template', 'not_found'],
      ['ALREADY_EXISTS', answerStatus(6, 'name'), 'gRPC status 6: name', 'template_name_taken'],
      ['PERMISSION_DENIED', answerStatus(7, 'suspended'), 'gRPC status 7: suspended', 'permission_denied'],
      ['FAILED_PRECONDITION', answerStatus(9, 'inactive'), 'gRPC status 9: inactive', 'precondition_failed'],
      ['OUT_OF_RANGE', answerStatus(11, 'cursor'), 'gRPC status 11: cursor', 'request_invalid'],
      ['UNIMPLEMENTED', answerStatus(12, ''), 'gRPC status 12', 'messaging_misconfigured'],
    ] as const
  ).map(([what, script, told, code]): Row => ({ what, script, told, read: code, send: code })),
  ...(
    [
      ['UNKNOWN', answerStatus(2, 'bug'), 'gRPC status 2: bug', UNCLEAR],
      ['ABORTED', answerStatus(10, 'clash'), 'gRPC status 10: clash', UNCLEAR],
      ['ENHANCE_YOUR_CALM', answerReset(11), 'gRPC status 8: Bandwidth exhausted or memory limit exceeded', AWAY],
    ] as const
  ).map(([what, script, told, code]): Row => ({ what, script, told, read: code, send: UNKNOWN })),
]
