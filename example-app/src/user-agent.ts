/*
 * "Firefox on Windows": enough for a person to recognise the browser at home. The User-Agent header is whatever the
 * browser says, so this is for reading only: never decide anything by it.
 */
import Bowser from 'bowser'
import type { Texts } from './texts/texts.js'

/** Words for a list of sign-ins, e.g. `'Chrome on macOS'`. Programs and unknown browsers are called just that. */
export function describeUserAgent(userAgent: string | undefined, t: Texts): string {
  const { browser, os } = userAgent ? Bowser.parse(userAgent) : { browser: {}, os: {} }
  const name = browser.name || undefined
  return os.name ? t.signInList.browserOn(name, os.name) : (name ?? t.signInList.unknownBrowser)
}
