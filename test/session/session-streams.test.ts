import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import express, { type Express } from 'express'
import type { PpoppoOptions } from '../../src/index.js'
import { isSignedIn } from '../support/attempts.js'
import { describeOnStores, type TestStorage } from '../support/stores.js'
import { elapse, stays } from '../support/until.js'
import { startWorld, type World } from '../support/world.js'

const express4: typeof express = createRequire(import.meta.url)('express4')
const SIZE = 300_000
let folder = ''
let file = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-stream-'))
  file = join(folder, 'big.bin')
  writeFileSync(file, Buffer.alloc(SIZE, 'x'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Each puts one thing into the basket, before or after the first byte has left. */
function routes(app: Express): void {
  const put = (req: express.Request): void => {
    const session = Object(req.session)
    session.basket = [...(session.basket ?? []), req.path]
  }
  app.get('/stream', async (req, res) => {
    for (let part = 0; part < 3; part += 1) {
      res.write('x'.repeat(SIZE / 3))
      await elapse(20)
      if (part === 1) put(req)
    }
    res.end()
  })
  app.get('/pipe', (req, res) => {
    put(req)
    createReadStream(file).pipe(res)
  })
  app.get('/file', (req, res) => {
    put(req)
    res.sendFile(file)
  })
  app.get('/flush', async (req, res) => {
    res.flushHeaders()
    await elapse(20)
    put(req)
    res.end('x'.repeat(SIZE))
  })
  app.get('/length', (req, res) => {
    put(req)
    res.set('Content-Length', String(SIZE)).write('x'.repeat(SIZE - 10))
    res.end('x'.repeat(10))
  })
  app.get('/empty', (req, res) => {
    put(req)
    res.status(204).end()
  })
  app.get('/endless', (req, res) => {
    put(req)
    const timer = setInterval(() => res.write('x'.repeat(1000)), 5)
    res.on('close', () => clearInterval(timer))
  })
}

const basketOf = async (world: World, browser: ReturnType<World['browser']>): Promise<string[]> =>
  JSON.parse((await browser.visit(`${world.url}/basket`)).text).basket

/** How many session blobs there are; in memory nobody can see. */
const blobs = async (storage: TestStorage, options: PpoppoOptions): Promise<number> =>
  Object.keys(await storage.contents(options)).filter((key) => key.includes(':sess:')).length

describeOnStores('C44 responses of every kind', (storage) => {
  test.each([
    ['Express 5', express],
    ['Express 4', express4],
  ])(
    'C44 streamed, piped, sendFile, flushed early, with a length: complete, saved, still signed in (%s)',
    async (_name, createApp) => {
      const options = storage.options()
      const world = await startWorld({ options, routes, createApp })
      try {
        const browser = await world.signedIn()
        const paths = ['/stream', '/pipe', '/file', '/flush', '/length', '/empty']
        for (const path of paths) {
          const answer = await browser.visit(`${world.url}${path}`)
          expect([path, answer.text.length, answer.cookies]).toEqual([path, path === '/empty' ? 0 : SIZE, []])
        }
        expect(await basketOf(world, browser)).toEqual(paths)
        expect(await isSignedIn(world, browser)).toBe(true)
        // A visitor gets a session where its cookie can still leave, and no half of one elsewhere.
        const visitor = world.browser()
        const before = await blobs(storage, options)
        expect((await visitor.visit(`${world.url}/flush`)).cookies).toEqual([])
        expect(await blobs(storage, options)).toBe(before)
        expect(world.events).toContainEqual(expect.objectContaining({ code: 'session_not_saved' }))
        expect((await visitor.visit(`${world.url}/pipe`)).cookies).toHaveLength(1)
        expect(await basketOf(world, visitor)).toEqual(['/pipe'])
      } finally {
        await world.close()
      }
    },
  )

  test('C44 a response that the browser aborts leaves the session as it was, and breaks nothing', async () => {
    const unhandled: unknown[] = []
    const onUnhandled = (error: unknown): void => void unhandled.push(error)
    process.on('uncaughtException', onUnhandled).on('unhandledRejection', onUnhandled)
    const world = await startWorld({ options: storage.options(), routes })
    try {
      const browser = await world.signedIn()
      await browser.visit(`${world.url}/basket?add=apple`)
      const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join('; ')
      for (const path of ['/endless', '/stream', '/flush', '/pipe']) {
        await new Promise<void>((resolve) => {
          const broken = request(`${world.url}${path}`, { headers: { Cookie: cookie }, agent: false }, (answer) => {
            answer.once('data', () => broken.destroy())
            answer.on('error', () => resolve())
            answer.on('close', () => resolve())
          })
          broken.on('error', () => resolve()).end()
        })
      }
      await stays(() => unhandled.length === 0, 'nothing is unhandled', 100)
      expect(await isSignedIn(world, browser)).toBe(true)
      expect(await basketOf(world, browser)).toContain('apple')
      expect(unhandled).toEqual([])
    } finally {
      process.off('uncaughtException', onUnhandled).off('unhandledRejection', onUnhandled)
      await world.close()
    }
  })

  test('C44 a slow stream from before a new sign-in overwrites neither its cookie nor its session', async () => {
    const world = await startWorld({ options: { ...storage.options(), session: { idleMs: 8_000 } }, routes })
    try {
      const browser = await world.signedIn()
      const old = browser.clone()
      await elapse(2_100) // a quarter of idle: the stream renews the cookie with its first byte
      const streaming = old.visit(`${world.url}/stream`)
      await browser.go(`${world.url}/auth/login?return_to=/me`)
      const { cookies } = await streaming
      // What left with the first byte left before the sign-in; what came after sets nothing.
      expect(cookies.length).toBeLessThanOrEqual(1)
      expect(await isSignedIn(world, browser)).toBe(true)
      expect(await isSignedIn(world, old)).toBe(false)
      expect(await basketOf(world, browser)).toEqual([])
    } finally {
      await world.close()
    }
  })
})
