import { afterAll, beforeAll } from '@jest/globals'
import { describeInBrowsers } from '../../support/both-browsers.js'
import { selfSigned } from '../../support/self-signed.js'
import type { TabBrowser } from '../../support/tabs.js'
import { type Shop, startShop } from './shop.js'

/** A browser and a shop that it visits over https; both are there while tests run. */
export interface ShopInBrowser {
  readonly browser: TabBrowser
  readonly shop: Shop
}

/** Tests that run in each browser, against a shop that is started once for all of them. */
export function describeShopInBrowsers(name: string, tests: (world: ShopInBrowser) => void): void {
  describeInBrowsers(name, (launch) => {
    let browser: TabBrowser
    let shop: Shop
    beforeAll(async () => {
      browser = await launch()
      shop = await startShop({}, undefined, { tls: selfSigned() })
    })
    afterAll(async () => {
      await browser.close()
      await shop.close()
    })
    tests({
      get browser() {
        return browser
      },
      get shop() {
        return shop
      },
    })
  })
}
