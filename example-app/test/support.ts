/*
 * The app as it ships, over real HTTP, with a real Ppoppo sandbox behind it and the embedded store.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { MessagingOptions } from 'express-ppoppo'
import type { CampaignsOptions } from 'express-ppoppo/campaigns'
import type Database from 'libsql'
import { type Sandbox, type SandboxOptions, startSandbox } from 'ppoppo-sandbox'
import supertest from 'supertest'
import { createApp } from '../src/app.js'
import { type Auth, createAuth } from '../src/auth.js'
import { type CampaignDesk, openCampaigns } from '../src/campaigns/campaign-desk.js'
import type { CampaignsConfig } from '../src/config.js'
import { createFeed, type Feed, type FeedParts } from '../src/live/feed.js'
import { followDeliveries } from '../src/live/follow-deliveries.js'
import { type MessageStore, openMessageStore } from '../src/messages/message-store.js'
import { createUsers, openDatabase } from '../src/users.js'
import { FIREFOX } from './user-agents.js'

export interface World {
  readonly url: string
  readonly sandbox: Sandbox
  readonly database: Database.Database
  readonly store: MessageStore
  readonly feed: Feed
  readonly errors: unknown[]
  readonly desk: CampaignDesk | undefined
  /** A fresh browser. */
  browser(userAgent?: string, languages?: string): Browser
  close(): Promise<void>
}

export interface Browser {
  get(path: string): supertest.Test
  /** As a form of our own page sends it; `headers` may say otherwise. */
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): supertest.Test
  /** What a person sees after a form was sent: the page it leads to. */
  submit(path: string, fields?: Record<string, string>): Promise<supertest.Response>
  /** Goes to Ppoppo and back; resolves to the path one lands on. */
  signIn(returnTo?: string): Promise<string>
  /** What it would send in `Cookie`. */
  cookies(): string
}

export async function startWorld(
  options: SandboxOptions & {
    databaseFile?: string
    scope?: string
    /** @default the memory of this process */
    redis?: string
    messaging?: MessagingOptions
    times?: Partial<FeedParts>
    /** Campaigns are in this Redis; of what is left out, the defaults. */
    campaigns?: Partial<CampaignsOptions> & Partial<CampaignsConfig>
  } = {},
): Promise<World> {
  const {
    databaseFile = ':memory:',
    scope = 'openid profile email',
    redis,
    messaging,
    times,
    campaigns,
    ...sandboxOptions
  } = options
  const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex', ...sandboxOptions })
  const database = openDatabase(databaseFile)
  const errors: unknown[] = []
  const log = (error: unknown) => void errors.push(error)
  const store = openMessageStore(database)
  const feed = createFeed({ events: store.events, ...times, log })
  const { url, server, auth, desk } = await listen((baseUrl) => {
    const made = createAuth({
      users: createUsers({ database }),
      options: {
        clientId: 'example_login_client',
        baseUrl,
        environment: 'local',
        issuer: sandbox.issuer,
        scope,
        onEvent: () => {},
        messaging: messaging ?? credentialsOf(sandbox),
        ...(redis !== undefined && { redis }),
      },
    })
    const { perMinute = 6_000, operators = 'everybody', ...more } = campaigns ?? {}
    const desk = campaigns && openCampaigns({ perMinute, operators }, made.messaging, more)
    return { auth: made, desk, app: createApp({ auth: made, database, store, feed, desk, log }) }
  })
  const following = followDeliveries({ messaging: auth.messaging, store, feed, log })
  return {
    url,
    sandbox,
    database,
    store,
    feed,
    errors,
    desk,
    browser: (userAgent = FIREFOX, languages = 'en') => createBrowser(url, userAgent, languages),
    async close() {
      await following.stop()
      feed.close()
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
      await desk?.campaigns.close()
      await auth.close()
      await sandbox.close()
      database.close()
    },
  }
}

/** What the sandbox's messaging service lets in; nothing where there is none. */
function credentialsOf({ pcs }: Sandbox): MessagingOptions {
  if (pcs === undefined) return {}
  const { url: apiUrl, tokenUrl, clientId, clientSecret } = pcs
  return { apiUrl, tokenUrl, clientId, clientSecret }
}

/** The base URL holds the port, so the port comes first and the app second. */
async function listen(
  make: (baseUrl: string) => { auth: Auth; app: Express; desk: CampaignDesk | undefined },
): Promise<{ url: string; server: Server; auth: Auth; desk: CampaignDesk | undefined }> {
  let listener: RequestListener = (_req, res) => res.destroy()
  const server = createServer((req, res) => listener(req, res))
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  const { auth, app, desk } = make(url)
  listener = app
  return { url, server, auth, desk }
}

export function createBrowser(url: string, userAgent: string, languages = 'en'): Browser {
  const agent = supertest.agent(url)
  agent.set({
    'User-Agent': userAgent,
    'Accept-Language': languages,
    Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  })
  const browser: Browser = {
    get: (path) => agent.get(path),
    post: (path, fields = {}, headers = { 'Sec-Fetch-Site': 'same-origin', Origin: url }) =>
      agent.post(path).set(headers).type('form').send(fields),
    async submit(path, fields) {
      return agent.get(locationOf(await browser.post(path, fields).expect(303))).expect(200)
    },
    async signIn(returnTo = '/dashboard') {
      const login = await agent.get(`/auth/login?return_to=${encodeURIComponent(returnTo)}`).expect(302)
      const back = await fetch(locationOf(login), { redirect: 'manual' })
      const callback = new URL(back.headers.get('location') ?? '')
      const landed = await agent.get(callback.pathname + callback.search).expect(303)
      const { pathname, search } = new URL(locationOf(landed), url)
      return pathname + search
    },
    cookies: () =>
      agent.jar.getCookies({ domain: 'localhost', path: '/', secure: false, script: false }).toValueString(),
  }
  return browser
}

export function locationOf(response: supertest.Response): string {
  const location: unknown = response.headers['location']
  if (typeof location !== 'string') throw new Error(`no Location with status ${response.status}`)
  return location
}
