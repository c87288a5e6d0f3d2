/*
 * "Firefox on Windows": enough for a person to recognise the browser at home. The User-Agent header is whatever the
 * browser says, so this is for reading only: never decide anything by it.
 */
import Bowser from 'bowser'

/** Words for a list of sign-ins, e.g. `'Chrome on macOS'`. Programs and unknown browsers are called just that. */
export function describeUserAgent(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent === '') return 'Unknown browser'
  const { browser, os } = Bowser.parse(userAgent)
  if (browser.name === undefined || browser.name === '') return os.name ? `A browser on ${os.name}` : 'Unknown browser'
  return os.name ? `${browser.name} on ${os.name}` : browser.name
}
