import { CLIENT_SCRIPT } from './client-script.generated.js'

/**
 * The text of `/auth/client.js`, an ES module.
 *
 * @param base public URL of the routes, e.g. `https://app.example/auth`: a sign-in must begin on the host that its callback
 *   returns to
 */
export function clientScript(base: string): string {
  return CLIENT_SCRIPT.replace('"BASE"', () => JSON.stringify(base).replaceAll('<', '\\u003c'))
}
