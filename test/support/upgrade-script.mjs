/**
 * An app with sign-in and upgrades, as a process of its own: `node upgrade-script.mjs <library> <options as JSON>`. The
 * first line it prints is its address. An upgrade goes through the parts of `auth` with plain Node's request and what
 * the query's `answer` names in place of an answer, then does what `deed` names. What reaches the process as a whole is
 * at `/faults`.
 */
import { createServer, ServerResponse } from 'node:http'
import express from 'express'
import expressSession from 'express-session'

const [library, json = '{}'] = process.argv.slice(2)
const { ppoppo } = await import(library)
const faults = { uncaught: [], unhandled: [] }
process.on('uncaughtException', (error, origin) => {
  faults[origin === 'unhandledRejection' ? 'unhandled' : 'uncaught'].push(error.message)
})

const app = express().set('trust proxy', 1)
const server = createServer(app)
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const url = `http://localhost:${server.address().port}`
const { part = 'own', ...options } = JSON.parse(json)
const events = []
const auth = ppoppo({
  clientId: 'test_login_client',
  baseUrl: url,
  onEvent: (event) => events.push(event),
  ...(part === 'app' ? { session: false } : {}),
  ...options,
})
const appSession = expressSession({
  name: 'app',
  secret: 'the app’s own',
  resave: false,
  saveUninitialized: false,
  proxy: true,
  cookie: { secure: true },
})
const session = part === 'app' ? appSession : auth.session

app.get('/faults', (_req, res) => void res.json({ ...faults, events }))
app.use(session, auth.middleware, auth.router)
app.get('/me', auth.requireSignIn(), (req, res) => void res.json(req.ppoppo.user))

/** What stands in for an answer on an upgrade. */
const ANSWERS = {
  'a bare ServerResponse': (req) => new ServerResponse(req),
  'an empty object': () => ({}),
  'what engine.io brings': (req) => {
    req.headersOfAnswer = {}
    return {
      setHeader: (name, value) => Object.assign(req.headersOfAnswer, { [name]: value }),
      getHeader: (name) => req.headersOfAnswer[name],
      removeHeader: (name) => delete req.headersOfAnswer[name],
      write() {},
      writeHead() {},
      end() {},
    }
  },
}

const DEEDS = {
  tell: (_req, _res, done) => done({}),
  // A message that comes long after the handshake, whose headers have gone.
  'sign out': async (req, res, done) => {
    if (res.setHeader) res.writeHead(101)
    delete req.headersOfAnswer
    await req.ppoppo.signOut()
    done({})
  },
  save: (req, _res, done) => {
    req.session.basket = ['by socket']
    req.session.save((error) => done({ error: String(error), basket: req.session.basket }))
  },
  throw: () => {
    throw new Error('thrown by what comes after auth')
  },
}
for (const method of ['save', 'reload', 'destroy', 'regenerate']) {
  DEEDS[`throw after ${method}`] = (req, _res, done) => {
    req.session[method](() => {
      done({})
      throw new Error(`thrown after ${method}`)
    })
  }
}

server.on('upgrade', (req, socket) => {
  const query = new URL(req.url, url).searchParams
  const res = ANSWERS[query.get('answer') ?? 'a bare ServerResponse'](req)
  let calls = 0
  const tell = (error, more = {}) => {
    const { status, user } = req.ppoppo ?? {}
    const body = JSON.stringify({ error: error?.message, status, ppnum: user?.ppnum, calls, ...more })
    socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const deed = DEEDS[query.get('deed') ?? 'tell']
  const parts = query.get('whole') ? [auth] : [session, auth.middleware]
  const step = (index) => (error) => {
    if (index === parts.length) calls += 1
    if (error) return tell(error)
    if (index < parts.length) return void parts[index](req, res, step(index + 1))
    if (query.get('deed') === 'throw') tell()
    deed(req, res, (more) => tell(undefined, more))
  }
  step(0)()
})

process.stdin.resume()
process.stdin.once('end', async () => {
  await auth.close()
  server.close()
  server.closeAllConnections()
})
console.log(url)
