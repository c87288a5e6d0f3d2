// A chat over socket.io: only people who are signed in connect, and their sockets close with the sign-in.
import { createServer } from 'node:http'
import express from 'express'
import { ppoppo } from 'express-ppoppo'
import { Server } from 'socket.io'

const port = process.env.PORT ?? 3000
const app = express()
const auth = ppoppo({ clientId: 'chat_login_client', baseUrl: `http://localhost:${port}`, environment: 'local' })

app.use(auth)
app.get('/', auth.requireSignIn(), (_req, res) => res.sendFile('chat.html', { root: import.meta.dirname }))

const server = createServer(app)
const io = new Server(server)

io.use(async (socket, next) => {
  const visitor = await auth.fromUpgrade(socket.request)
  if (!visitor.isSignedIn) return next(visitor.error)
  socket.data.user = visitor.user
  socket.once(
    'disconnect',
    visitor.onEnded(() => socket.disconnect(true)),
  )
  next()
})
io.on('connection', (socket) => {
  socket.on('say', (text) => io.emit('said', socket.data.user.ppnum, String(text)))
})

server.listen(port, () => console.log(`http://localhost:${port}`))
process.once('SIGTERM', () => io.close(() => auth.close()))
