import { CONTENT_SECURITY_POLICY } from '../pages/layout.js'
import { renderMessagePage } from '../pages/message-page.js'
import type { SandboxState } from '../state/sandbox-state.js'
import type { Middleware } from './middleware.js'

/** For somebody who opens the sandbox itself in a browser. */
export function frontPage(state: SandboxState): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/' || ctx.method !== 'GET') {
      await next()
      return
    }
    ctx.type = 'html'
    ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
    ctx.body = renderMessagePage({
      title: 'Ppoppo sandbox',
      text: `It is running, and it is not for production. Start a sign-in from your app: it accepts ${state.clients.description}.`,
      code: `${state.issuer}/.well-known/openid-configuration`,
      link: { href: '/__sandbox/inbox', label: 'Messages that were sent' },
    })
  }
}
