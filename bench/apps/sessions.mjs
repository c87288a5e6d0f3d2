import { RedisStore } from 'connect-redis'
import session from 'express-session'
import { Redis } from 'ioredis'

/** express-session on Redis, as the READMEs of express-session and connect-redis have it. */
export function createSessions({ redisUrl, prefix }) {
  const client = new Redis(redisUrl)
  const store = new RedisStore({ client, prefix })
  const middleware = session({
    store,
    secret: 'a secret of the benchmark, long enough',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 30 * 24 * 60 * 60_000 },
  })
  return { middleware, close: () => client.disconnect() }
}
