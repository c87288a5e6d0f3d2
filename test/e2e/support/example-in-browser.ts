import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals'
import { describeWithBrowser, launchBrowser, type TestBrowser } from '../../support/browser.js'
import { npmStart, type Started } from './npm-start.js'
import { openVisitor, type Visitor } from './visitor.js'

/** What a test of the example app is given. */
export interface Example {
  readonly app: Started
  readonly browser: TestBrowser
  /** A new one for each test. Its browser must have had nothing to complain about by the end. */
  readonly visitor: Visitor
}

/** `describe` of the example app, started as `npm start` does. */
export function describeExample(name: string, tests: (example: Example) => void): void {
  describeWithBrowser(name, () => {
    const example = {} as { -readonly [Part in keyof Example]: Example[Part] } // filled before the tests run
    // A first build is among it.
    beforeAll(async () => {
      example.app = await npmStart()
      example.browser = await launchBrowser()
    })
    afterAll(async () => {
      await example.browser.close()
      await example.app.stop()
    })
    beforeEach(async () => {
      example.visitor = await openVisitor(example.browser, { locale: 'en-GB' })
    })
    afterEach(async () => {
      const { complaints, close } = example.visitor
      await close()
      expect(complaints).toEqual([])
    })
    tests(example)
  })
}
