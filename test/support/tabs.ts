/*
 * Chromium and Firefox behind one face, for what must hold in both. Playwright drives no Firefox as people have it, and
 * no browser's back/forward cache; so what is here is little, and every wait ends with an error.
 */

import { untilWorks } from './until.js'

/** A tab, or a frame in one. */
export interface Tab {
  goto(url: string): Promise<void>
  /** The value of an expression in the page, by way of JSON. */
  evaluate(expression: string): Promise<unknown>
  /** A click by mouse on the middle of the first such element of a loaded page, as a person's. */
  click(selector: string): Promise<void>
  /** The mouse comes to rest there. */
  hover(selector: string): Promise<void>
  /** One step back; the page may come back from where the browser keeps pages. */
  back(): Promise<void>
  /** Waits until the tab shows a loaded page whose address matches. */
  landsOn(url: string | RegExp): Promise<void>
  /** What a person can read. */
  readable(): Promise<string>
  /** The first frame in it whose address holds `part`. */
  frame(part: string): Promise<Tab>
}

/** Somebody with cookies and a cache of their own. */
export interface Person extends Tab {
  newTab(): Promise<Tab>
  /** The newest tab, once there are `count`. */
  nthTab(count: number): Promise<Tab>
}

/** A started browser that takes any certificate and keeps pages for the back button. */
export interface TabBrowser {
  newPerson(): Promise<Person>
  close(): Promise<void>
}

/** What a browser itself must be able to do. */
export interface TabParts extends Pick<Tab, 'goto' | 'evaluate' | 'frame'> {
  moveTo(x: number, y: number): Promise<void>
  /** @param selector of what is at `x`, `y` */
  clickAt(x: number, y: number, selector: string): Promise<void>
  goBack(): Promise<void>
}

export function createTab({ goto, evaluate, frame, moveTo, clickAt, goBack }: TabParts): Tab {
  const address = async (): Promise<string> =>
    String(await evaluate(`document.readyState === 'complete' ? location.href : ''`))

  /** Once the page has loaded. */
  async function middleOf(selector: string): Promise<[x: number, y: number]> {
    const middle = `(() => {
      const box = document.readyState === 'complete' && document.querySelector(${JSON.stringify(selector)})?.getBoundingClientRect()
      return box ? [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)] : undefined
    })()`
    return untilWorks(async (): Promise<[number, number] | undefined> => {
      const found = await evaluate(middle)
      return Array.isArray(found) ? [Number(found[0]), Number(found[1])] : undefined
    }, `${selector} is there`)
  }

  return {
    goto,
    evaluate,
    frame,
    async click(selector) {
      await clickAt(...(await middleOf(selector)), selector)
    },
    async hover(selector) {
      await moveTo(...(await middleOf(selector)))
    },
    async back() {
      const before = await evaluate('location.href')
      await goBack()
      await untilWorks(async () => {
        const now = await address()
        return /^https?:/.test(now) && now !== before
      }, `it is back from ${before}`)
    },
    async landsOn(url) {
      await untilWorks(async () => {
        const now = await address()
        return typeof url === 'string' ? now === url : url.test(now)
      }, `it lands on ${url}`)
    },
    readable: async () => String(await evaluate('document.body.innerText')),
  }
}
