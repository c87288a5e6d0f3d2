// The same from CommonJS: require() loads the library on Node 20.19 and newer.
const express = require('express')
const { ppoppo } = require('express-ppoppo')

const port = process.env.PORT ?? 3000
const app = express()
const auth = ppoppo({ clientId: 'commonjs_login_client', baseUrl: `http://localhost:${port}`, environment: 'local' })

app.use(auth)

app.get('/account', auth.requireSignIn(), (req, res) => {
  res.send(`Signed in as ${req.ppoppo.user.ppnum}`)
})

const server = app.listen(port, () => console.log(`http://localhost:${port}/account`))
process.once('SIGTERM', () => server.close(() => auth.close()))
