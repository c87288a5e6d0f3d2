import type { Provider } from 'oidc-provider'
import { errorCodeOf } from '../lib/error-code.js'

/** Clients that disconnected, often because of a fault: nothing to report. */
const GONE = /^(ECONNRESET|EPIPE|ECONNABORTED|ABORT_ERR|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/

/** Errors of the sandbox itself go to stderr; whoever called got a 500 that says nothing. */
export function reportErrors(provider: Provider): void {
  const report = (error: unknown): void => {
    if (!GONE.test(errorCodeOf(error) ?? '')) console.error('ppoppo-sandbox: internal error:', error)
  }
  provider.on('server_error', (_ctx, error) => report(error))
  // Koa asks this one when nobody listens to its 'error' event, and would print each client that hung up.
  provider.onerror = report
}
