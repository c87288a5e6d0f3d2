/*
 * Dear reader,
 *
 * this is the app to copy from. The order of the lines in `createApp` is most of what there is to know:
 *
 *   1. security headers                  on everything, errors too
 *   2. health checks and static files    before the session: they need nobody's cookie
 *   3. app.use(auth)                     session, req.ppoppo, and the routes under /auth; then our own account
 *   4. the CSRF check and body parser    before the first route that changes something
 *   5. your pages                        guarded by auth.requireSignIn() where they are somebody's
 *   6. 404 and the error handler         last
 *
 * It takes what it needs as arguments and starts nothing, so that a test can mount it. server.ts starts it.
 */
import express, { type Express } from 'express'
import type Database from 'libsql'
import { loadAccount } from './account.js'
import type { Auth } from './auth.js'
import { bullBoard } from './campaigns/bull-board.js'
import { type CampaignDesk, operatorsOnly } from './campaigns/campaign-desk.js'
import { packageFile } from './config.js'
import { createErrorPage, notFound } from './errors.js'
import type { Feed } from './live/feed.js'
import { createPollBoard } from './live/poll-board.js'
import { createStreamLimit } from './live/stream-limit.js'
import type { MessageStore } from './messages/message-store.js'
import { createTemplateIds } from './messages/templates.js'
import { apiRoutes } from './pages/api.js'
import { campaignRoutes } from './pages/campaigns.js'
import { dashboardRoutes } from './pages/dashboard.js'
import { homeRoutes } from './pages/home.js'
import { liveRoutes } from './pages/live.js'
import { messageSentRoutes } from './pages/message-sent.js'
import { type MessagesParts, messagesRoutes } from './pages/messages.js'
import { signInsRoutes } from './pages/sign-ins.js'
import { securityHeaders } from './security-headers.js'
import { createUsers } from './users.js'
import { createViews } from './views.js'

export interface AppOptions {
  readonly auth: Auth
  readonly database: Database.Database
  readonly store: MessageStore
  /** What open pages are kept up to date from. Close it before the server: pages keep their connections. */
  readonly feed: Feed
  /** @default 0: nothing in front of this app */
  readonly trustedProxies?: number
  /** @default none: without Redis there are no campaigns, and no page for them */
  readonly desk?: CampaignDesk | undefined
  readonly log?: (error: unknown) => void
}

export function createApp({
  auth,
  database,
  store,
  feed,
  trustedProxies = 0,
  desk,
  log = console.error,
}: AppOptions): Express {
  const app = express()
  const users = createUsers({ database })
  const views = createViews({ auth, hasCampaigns: desk !== undefined })
  const guard = auth.requireSignIn()
  const messages: MessagesParts = { guard, store, templateIds: createTemplateIds({ database }), views, log }
  const streams = createStreamLimit()
  const polls = createPollBoard({ sends: store.sends, messaging: auth.messaging, log })

  // How many of your proxies are in front. With too few, every visitor has the proxy's address (and they share one
  // rate limit), and a cookie marked Secure is not sent, since Express thinks the request came over http. With too
  // many, or `true`, anybody may claim any address. Behind one nginx or load balancer: 1.
  app.set('trust proxy', trustedProxies)

  app.use(securityHeaders)
  app.get('/healthz', (_req, res) => {
    res.set('Cache-Control', 'no-store').json({ ok: true })
  })
  // For the load balancer: without Redis, another instance may reach it. Do not restart this one: that fixes no Redis.
  app.get('/readyz', async (_req, res) => {
    const { store } = await auth.health()
    res
      .set('Cache-Control', 'no-store')
      .status(store.status === 'down' ? 503 : 200)
      .json({ store: store.status })
  })
  app.use(express.static(packageFile('public'), { index: false }))

  app.use(auth)
  app.use(loadAccount(users))

  app.use(auth.requireSameOrigin()) // forms need no token: GET must never change anything
  // Before the body parser: they have their own, for longer forms.
  app.use(messagesRoutes(messages))
  if (desk !== undefined) {
    app.use('/campaigns', guard, operatorsOnly(desk))
    app.use('/campaigns/queue', bullBoard(desk, '/campaigns/queue'))
    app.use(campaignRoutes({ desk, templateIds: messages.templateIds, views, streams, log }))
  }
  app.use(express.urlencoded({ extended: false, limit: '8kb' }))
  app.use(homeRoutes(views))
  app.use(dashboardRoutes({ guard, users, views }))
  app.use(signInsRoutes({ guard, views }))
  app.use(liveRoutes({ guard, store, feed, polls, views, streams })) // before /messages/:id, which "events" would be one of
  app.use(messageSentRoutes(messages))
  app.use(apiRoutes({ guard }))

  app.use(notFound)
  app.use(auth.errorHandler({ page: createErrorPage(views), report: (error) => log(error) }))
  return app
}
