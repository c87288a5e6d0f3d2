import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeWithBrowser, launchBrowser, type TestBrowser } from './browser.js'

describeWithBrowser('the browser of the tests', () => {
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'text/html; charset=utf-8')
    res.end('<title>Hello</title><h1>안녕하세요</h1>')
  })
  let browser: TestBrowser

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser.close()
    server.closeAllConnections()
    server.close()
  })

  test('opens a page of this machine', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    expect(await page.title()).toBe('Hello')
    await context.close()
  })
})
