import { readBody } from '../../lib/request-body.js'
import type { Context, Middleware } from '../../pas/middleware.js'
import type { PcsControl } from '../../pcs/pcs-control.js'
import { TEST_NUMBERS } from '../../pcs/state/test-numbers.js'
import type { SandboxState } from '../../state/sandbox-state.js'
import type { SandboxControl } from '../control.js'
import { decisionIn } from '../pcs-actions.js'
import { refusalOfStranger } from '../this-machine.js'
import { INBOX_POLICY, type Inbox, renderInboxPage, renderMessages } from './inbox-page.js'

const BASE = '/__sandbox/inbox'
const MAX_SHOWN = 200
/** The page is drawn at most this often, however much changes. */
const NEWS_EVERY_MS = 100

/** What the page's forms do. */
const ACTIONS: { readonly [path: string]: (control: SandboxControl, form: URLSearchParams) => void } = {
  [`${BASE}/decide`]: ({ pcs }, form) =>
    pcs.decide(textIn(form, 'sendRequestId'), textIn(form, 'ppnum'), decisionIn(Object.fromEntries(form))),
  [`${BASE}/answer`]: ({ pcs }, form) =>
    pcs.answerPoll(textIn(form, 'sendRequestId'), textIn(form, 'ppnum'), textIn(form, 'option')),
  [`${BASE}/hold`]: (control, form) => control.set({ pcsHold: form.get('hold') === 'true' }),
}

/** `/__sandbox/inbox`: what was sent, for people. The only part of the control route that a browser may use. */
export function inboxRoute(state: SandboxState, control: SandboxControl): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== BASE && !ctx.path.startsWith(`${BASE}/`)) {
      await next()
      return
    }
    const refusal = refusalOfStranger(ctx, state.port) ?? refusalOfForeignPage(ctx)
    if (refusal !== undefined) return answer(ctx, 403, refusal)
    if (!control.hasPcs) return answer(ctx, 404, 'the messaging service is not running')
    const action = Object.hasOwn(ACTIONS, ctx.path) ? ACTIONS[ctx.path] : undefined
    if (ctx.method === 'POST' && action !== undefined) return act(ctx, control, action)
    if (ctx.method !== 'GET') return answer(ctx, 404, `there is GET ${BASE}`)
    if (ctx.path === BASE) return sendHtml(ctx, renderInboxPage(inboxFor(ctx, control)))
    if (ctx.path === `${BASE}/messages`) return sendHtml(ctx, renderMessages(inboxFor(ctx, control)))
    if (ctx.path === `${BASE}/events`) return sendNews(ctx, control.pcs, state.closing)
    answer(ctx, 404, `there is GET ${BASE}`)
  }
}

/** A page of another site may link here, and do nothing else. */
function refusalOfForeignPage(ctx: Context): string | undefined {
  const isOwn = ctx.get('Origin') === `http://${ctx.get('Host')}`
  if (ctx.method === 'POST') return isOwn ? undefined : 'only the inbox page itself may do this'
  const isLink = ctx.path === BASE && ctx.get('Origin') === ''
  const isRead = ['', 'none', 'same-origin'].includes(ctx.get('Sec-Fetch-Site')) && (ctx.get('Origin') === '' || isOwn)
  return isLink || isRead ? undefined : 'the control route does not answer pages of other sites'
}

async function act(ctx: Context, control: SandboxControl, action: (typeof ACTIONS)[string]): Promise<void> {
  const body = await readBody(ctx.req)
  try {
    action?.(control, new URLSearchParams(body ?? ''))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return answer(ctx, 400, error.message)
  }
  ctx.status = 303
  ctx.set('Location', BASE)
  ctx.body = ''
}

function inboxFor(ctx: Context, control: SandboxControl): Inbox {
  const ppnum = String(ctx.query['to'] ?? '').replace(/\D/g, '')
  const limit = MAX_SHOWN + 1
  const found = control.pcs.inbox(ppnum === '' ? { limit } : { limit, ppnum })
  const names = new Map(TEST_NUMBERS.map(({ ppnum, label }) => [ppnum, label]))
  for (const person of control.people) names.set(person.ppnum, person.label)
  return {
    messages: found.slice(0, MAX_SHOWN),
    isCut: found.length > MAX_SHOWN,
    ppnum,
    isHeld: control.switches.pcsHold,
    nameOf: (number) => names.get(number),
  }
}

/** Server-sent events that only say that something has changed. */
function sendNews(ctx: Context, pcs: PcsControl, closing: AbortSignal): void {
  const { res } = ctx
  ctx.respond = false
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' })
  res.write('retry: 1000\n\n')
  let timer: NodeJS.Timeout | undefined
  const stopListening = pcs.onChange(() => {
    timer ??= setTimeout(() => {
      timer = undefined
      if (!res.writableNeedDrain) res.write('event: change\ndata:\n\n')
    }, NEWS_EVERY_MS)
  })
  const end = (): void => {
    res.end()
  }
  closing.addEventListener('abort', end)
  res.once('close', () => {
    clearTimeout(timer)
    stopListening()
    closing.removeEventListener('abort', end)
  })
}

function sendHtml(ctx: Context, html: string): void {
  answer(ctx, 200, html)
  ctx.type = 'html'
  ctx.set('Content-Security-Policy', INBOX_POLICY)
  // With a policy of no-referrer browsers send forms with `Origin: null`.
  ctx.set('Referrer-Policy', 'same-origin')
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin')
  ctx.set('X-Content-Type-Options', 'nosniff')
}

function answer(ctx: Context, status: number, text: string): void {
  ctx.status = status
  ctx.type = 'text'
  ctx.set('Cache-Control', 'no-store')
  ctx.body = text
}

function textIn(form: URLSearchParams, name: string): string {
  const value = form.get(name)
  if (value === null) throw new TypeError(`"${name}" is missing`)
  return value
}
