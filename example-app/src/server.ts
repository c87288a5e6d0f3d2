/*
 * Starts the app: reads the configuration, opens the database, waits for Redis and Ppoppo, listens, and stops in the right
 * order. When it cannot start it says why. Nothing else is here, so that tests have no use for this file.
 */
import { createServer, type Server } from 'node:http'
import { createApp } from './app.js'
import { type Auth, createAuth } from './auth.js'
import { openCampaigns } from './campaigns/campaign-desk.js'
import { loadDotEnv, readConfig } from './config.js'
import { createFeed } from './live/feed.js'
import { followDeliveries } from './live/follow-deliveries.js'
import { openMessageStore } from './messages/message-store.js'
import { createUsers, openDatabase } from './users.js'

/** How long open requests may take after SIGTERM. Most platforms kill after 30 s. */
const SHUTDOWN_MS = 10_000
/** How long a deployment waits for Redis and Ppoppo, which may be starting too; and somebody at a laptop. */
const [READY_MS, READY_ON_A_LAPTOP_MS] = [20_000, 3_000]
const HOUR_MS = 3_600_000

try {
  await start()
} catch (error) {
  console.error(`example-app cannot start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

async function start(): Promise<void> {
  loadDotEnv()
  const config = readConfig(process.env)
  const database = openDatabase(config.databaseFile)
  const auth = createAuth({ users: createUsers({ database }), options: config.ppoppo })
  const store = openMessageStore(database)
  store.forgetOld()
  setInterval(() => store.forgetOld(), HOUR_MS).unref()
  const feed = createFeed({ events: store.events })
  const desk = config.campaigns && openCampaigns(config.campaigns, auth.messaging)
  await untilReady(auth)
  const server = createServer(createApp({ auth, database, store, feed, desk, trustedProxies: config.trustedProxies }))
  await listen(server, config.port)
  console.log(`example-app: http://localhost:${config.port}`)
  const following = followDeliveries({ messaging: auth.messaging, store, feed, campaigns: desk?.campaigns })
  desk?.campaigns.work({ concurrency: 2 }) // every instance sends, and so does each worker

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    const stopped = following.stop() // the next instance takes over at once, instead of waiting for us to be gone
    feed.close() // open pages reconnect to another instance, or to this one
    await closeServer(server) // no new requests, and the open ones finish
    await stopped
    await desk?.campaigns.close() // finishes the sends under way
    await auth.close() // then what they used: Redis, timers
    database.close()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop().catch((error: unknown) => {
        console.error(error)
        process.exitCode = 1
      })
    })
  }
}

/**
 * A wrong address or password shows here, and not at the first visitor. A deployment ends then; on a laptop we say it and go
 * on, since the front page needs nobody.
 */
async function untilReady(auth: Auth): Promise<void> {
  const isDeployed = process.env['NODE_ENV'] === 'production'
  try {
    await auth.ready({ timeoutMs: isDeployed ? READY_MS : READY_ON_A_LAPTOP_MS })
  } catch (error) {
    if (isDeployed) throw error
    console.warn(`example-app: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is in use; stop what uses it, or set PORT`) : error)
    })
    server.listen(port, resolve)
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS)
    server.close(() => {
      clearTimeout(deadline)
      resolve()
    })
  })
}
