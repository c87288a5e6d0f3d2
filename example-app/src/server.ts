/*
 * Starts the app: reads the configuration, opens the database, listens, and stops in the right order.
 * When it cannot start it says why in one line. Nothing else is here, so that tests have no use for this file.
 */
import { createServer, type Server } from 'node:http'
import { createApp } from './app.js'
import { createAuth } from './auth.js'
import { loadDotEnv, readConfig } from './config.js'
import { createFeed } from './live/feed.js'
import { followDeliveries } from './live/follow-deliveries.js'
import { openMessageStore } from './messages/message-store.js'
import { createUsers, openDatabase } from './users.js'

/** How long open requests may take after SIGTERM. Most platforms kill after 30 s. */
const SHUTDOWN_MS = 10_000
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
  const auth = createAuth(createUsers(database), config.ppoppo)
  const store = openMessageStore(database)
  store.forgetOld()
  setInterval(() => store.forgetOld(), HOUR_MS).unref()
  const feed = createFeed(store.events)
  const server = createServer(createApp({ auth, database, store, feed, trustedProxies: config.trustedProxies }))
  await listen(server, config.port)
  console.log(`example-app: http://localhost:${config.port}`)
  const following = followDeliveries({ messaging: auth.messaging, store, feed })

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    const stopped = following.stop() // the next instance takes over at once, instead of waiting for us to be gone
    feed.close() // pages that are open go on with another instance, or come back to this one
    await closeServer(server) // no new requests, and the open ones finish
    await stopped
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
