// Two processes behind one port: sign-ins, sign-outs and renewed tokens are shared through Redis.
import cluster from 'node:cluster'
import express from 'express'
import { ppoppo } from 'express-ppoppo'

const port = process.env.PORT ?? 3000

function startTwo() {
  for (let count = 0; count < 2; count += 1) cluster.fork()
  const stop = () => Object.values(cluster.workers ?? {}).map((worker) => worker?.kill('SIGTERM'))
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

function serve() {
  const app = express()
  const auth = ppoppo({
    clientId: 'cluster_login_client',
    baseUrl: `http://localhost:${port}`,
    environment: 'local',
    redis: process.env.REDIS_URL ?? 'redis://localhost:6379',
  })
  app.use(auth)
  app.get('/account', auth.requireSignIn(), (req, res) => {
    res.set('Connection', 'close') // the next request may reach the other process
    res.send(`Process ${process.pid} says: signed in as ${req.ppoppo.user.ppnum}`)
  })
  const server = app.listen(port, () => console.log(`http://localhost:${port}/account by process ${process.pid}`))
  process.once('SIGTERM', () => server.close(() => auth.close().then(() => process.disconnect())))
}

if (cluster.isPrimary) startTwo()
else serve()
