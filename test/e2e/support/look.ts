import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** Not in the repository: for people to look at. */
const FOLDER = join(import.meta.dirname, '../../.artifacts')

/** Wide and narrow, light and dark. */
const VIEWS = [
  { name: 'wide-light', width: 1280, height: 800, colorScheme: 'light' },
  { name: 'narrow-dark', width: 360, height: 740, colorScheme: 'dark' },
] as const

/** What is measured on a page; runs in the page, so it uses nothing from outside. Also looks into open shadow trees. */
const MEASURE = `(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number)
  const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map((i) => top[i] * a + below[i] * (1 - a)) }
  const luminance = (rgb) => rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
  const parentOf = (element) => element.assignedSlot ?? element.parentElement ?? element.getRootNode().host
  const groundOf = (element) => {
    const layers = []
    for (let one = element; one; one = parentOf(one)) layers.push(parse(getComputedStyle(one).backgroundColor))
    const dark = matchMedia('(prefers-color-scheme: dark)').matches
    return layers.reverse().reduce((ground, layer) => over(layer, ground), dark ? [18, 18, 18] : [255, 255, 255])
  }
  const weak = []
  const small = []
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) { look(element.shadowRoot); continue }
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
      const box = element.getBoundingClientRect()
      if (!element.checkVisibility({ visibilityProperty: true }) || box.width < 2) continue
      if (element.matches('button, a.button, a.ppoppo-sign-in') && box.height < 40) small.push(element.textContent.trim() + ' ' + box.height)
      if (!hasText || element.matches('head *, script, style')) continue
      const ground = groundOf(element)
      const [a, b] = [luminance(over(parse(getComputedStyle(element).color), ground)), luminance(ground)]
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      if (ratio < 4.5) weak.push(element.tagName + ' "' + element.textContent.trim().slice(0, 40) + '" ' + ratio.toFixed(2))
    }
  }
  look(document.body)
  return { weak, small, overflow: document.documentElement.scrollWidth - innerWidth, lang: document.documentElement.lang,
    headings: document.querySelectorAll('h1').length, title: document.title }
})()`

/** What a page was found to be. */
export interface Look {
  /** Text of a contrast below 4.5, with what was measured. */
  readonly weak: readonly string[]
  /** Buttons too small for a finger. */
  readonly small: readonly string[]
  /** Pixels it scrolls sideways. */
  readonly overflow: number
  readonly lang: string
  readonly headings: number
  readonly title: string
}

/** What a page without a fault looks like. */
export const FINE = { weak: [], small: [], overflow: 0, headings: 1 }

/** Photographs the page as it is, wide and light, narrow and dark, and measures it in each, and once more at 320 px. */
export async function lookAt(page: Page, name: string): Promise<readonly Look[]> {
  mkdirSync(FOLDER, { recursive: true })
  const looks: Look[] = []
  for (const { name: view, width, height, colorScheme } of VIEWS) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height })
    await page.screenshot({ path: join(FOLDER, `${name}-${view}.png`), fullPage: true })
    looks.push(await page.evaluate<Look>(MEASURE))
  }
  await page.setViewportSize({ width: 320, height: 640 })
  looks.push(await page.evaluate<Look>(MEASURE))
  return looks
}

/** Presses Tab until all has had the focus, and names what showed no outline. */
export async function unseenFocus(page: Page): Promise<readonly string[]> {
  const count = await page.locator('a[href]:visible, button:visible, input:visible:not([type=hidden])').count()
  const unseen: string[] = []
  for (let step = 0; step < count; step += 1) {
    await page.keyboard.press('Tab')
    const shows = await page.evaluate<string>(`(() => {
      let one = document.activeElement
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 ? '' : one.outerHTML.slice(0, 80)
    })()`)
    if (shows !== '') unseen.push(shows)
  }
  return unseen
}
