import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AnswerFaultKind, Fault } from '../faults/fault.js'
import type { SandboxState } from '../state/sandbox-state.js'
import { answerWithError, type Context, type Next } from './middleware.js'

type Spoiler = (ctx: Context, fault: Fault, state: SandboxState) => void

const HTML = '<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1><p>This is not what was asked for.'

/** How each fault spoils the answer. `delay` only waits. */
const SPOILERS: { readonly [K in Exclude<AnswerFaultKind, 'delay'>]: Spoiler } = {
  status: answerWithStatus,
  garbage: (ctx) => {
    ctx.status = 200
    ctx.type = 'html'
    ctx.body = HTML
  },
  truncated: (ctx) => {
    const text = realAnswer(ctx)
    ctx.type = 'json'
    ctx.body = text.slice(0, Math.floor(text.length / 2))
  },
  empty: (ctx) => {
    ctx.status = 200
    ctx.type = 'json'
    ctx.body = ''
  },
  cut: (ctx) => {
    const text = realAnswer(ctx)
    takeOver(ctx)
    ctx.res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    ctx.res.write(text.slice(0, Math.floor(text.length / 2)), () => ctx.req.socket.destroy())
  },
  reset: (ctx) => {
    takeOver(ctx)
    ctx.req.socket.resetAndDestroy()
  },
  hang: takeOver,
  huge: (ctx, fault) => {
    ctx.status = 200
    ctx.type = 'json'
    ctx.body = Readable.from(hugeJson(fault.megabytes ?? 50))
  },
  redirect: (ctx, fault, state) => {
    ctx.status = 302
    ctx.set('Location', fault.location ?? `${state.issuer}/nowhere`)
    ctx.body = ''
  },
}

/** These show part of the real answer, so it has to be made first. */
const NEEDS_REAL_ANSWER: readonly string[] = ['truncated', 'cut'] satisfies AnswerFaultKind[]

/** Answers a request the way a fault says. */
export async function answerWithFault(state: SandboxState, ctx: Context, next: Next, fault: Fault): Promise<void> {
  if (fault.delayMs !== undefined && !(await waited(fault.delayMs, state.closing))) return takeOver(ctx)
  const spoil = (SPOILERS as { readonly [kind: string]: Spoiler | undefined })[fault.kind]
  if (spoil === undefined || fault.afterProcessing === true || NEEDS_REAL_ANSWER.includes(fault.kind)) await next()
  spoil?.(ctx, fault, state)
}

async function waited(delayMs: number, closing: AbortSignal): Promise<boolean> {
  return sleep(delayMs, true, { signal: closing }).catch(() => false)
}

/** From here on nobody writes to this response but us; Koa leaves it alone. */
function takeOver(ctx: Context): void {
  ctx.respond = false
}

function answerWithStatus(ctx: Context, fault: Fault): void {
  const status = fault.status ?? 500
  const isUserinfo = ctx.path.endsWith('/userinfo')
  const error = fault.error ?? defaultError(status, isUserinfo)
  ctx.remove('Location')
  answerWithError(ctx, status, error, fault.errorDescription ?? 'requested by a fault')
  if (fault.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(fault.retryAfterSeconds))
  if (status === 401 && isUserinfo) ctx.set('WWW-Authenticate', `Bearer error="${error.replace(/[^\w]/g, '')}"`)
}

function defaultError(status: number, isUserinfo: boolean): string {
  if (status >= 500) return 'server_error'
  if (status === 429) return 'temporarily_unavailable'
  if (status === 401) return isUserinfo ? 'invalid_token' : 'invalid_client'
  return 'invalid_request'
}

function realAnswer(ctx: Context): string {
  return typeof ctx.body === 'string' ? ctx.body : JSON.stringify(ctx.body ?? {})
}

function* hugeJson(megabytes: number): Generator<string> {
  const piece = 'a'.repeat(64 * 1024)
  yield '{"padding":"'
  for (let i = 0; i < megabytes * 16; i++) yield piece
  yield '"}'
}
