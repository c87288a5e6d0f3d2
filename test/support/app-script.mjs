/**
 * A small app with sign-in, as a process of its own: `node app-script.mjs <library> <options as JSON>`. The first line
 * it prints is its address; after that one JSON object per event, where `events` is asked for. It listens until its
 * standard input ends, closes what it opened, and must then exit by itself.
 */
import { createServer } from 'node:http'
import express from 'express'

const [library, json = '{}'] = process.argv.slice(2)
const { baseUrl, port = 0, events = true, ...options } = JSON.parse(json)
const { ppoppo } = await import(library)

const app = express()
const server = createServer(app)
await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
const url = `http://localhost:${server.address().port}`
const auth = ppoppo({
  clientId: 'test_login_client',
  baseUrl: baseUrl ?? url,
  ...options,
  ...(events ? { onEvent: (event) => console.log(JSON.stringify(event)) } : {}),
})

app.use(auth)
app.get('/', (req, res) => {
  res.send(`home ${req.ppoppo.status}`)
})
app.get('/me', auth.requireSignIn(), (req, res) => {
  res.json(req.ppoppo.user)
})
app.get('/token', auth.requireSignIn(), async (req, res) => {
  res.json({ length: (await req.ppoppo.accessToken()).length })
})
app.get('/userinfo', auth.requireSignIn(), async (req, res) => {
  res.json(await req.ppoppo.userinfo())
})
app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ code: error.code ?? error.name })
})

process.stdin.resume()
process.stdin.once('end', async () => {
  await auth.close()
  server.close()
  server.closeAllConnections()
})
console.log(url)
