// An app as people bundle one: it signs people in, sends a message, and has a Redis in its configuration. Prints how far
// it came, a line of JSON each, and ends.

import express from 'express'
import { ppoppo } from 'express-ppoppo'
import { createMessaging } from 'express-ppoppo/messaging'

const tell = (what, how) => console.log(JSON.stringify({ [what]: how }))
const told = (error) => ({ name: error.name, code: error.code, message: error.message })
const settings = {
  baseUrl: 'http://localhost:3000',
  clientId: 'bundle_login_client',
  environment: 'local',
  sessionSecret: 'k2Vd8sQx0mZpW4tR7yHb1nLc5fGj9aUe',
  vaultKeys: `k1:${'9vT3qLx8WcR1mZ0pYb7nKd5sHg2fJaUeQiOrXtVwBxM='}`,
}

const app = express()
app.use(ppoppo(settings))
const server = app.listen(0, '127.0.0.1', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/auth/session`)
  tell('session', await answer.json())
  const messaging = createMessaging()
  const request = { templateId: 'tpl_sandbox_welcome', recipients: [{ ppnum: '12312345678', vars: { name: 'Alex' } }] }
  tell('send', await messaging.send(request, { deadlineMs: 60_000 }).then(({ status }) => status, told))
  await messaging.close()
  try {
    ppoppo({ ...settings, redis: 'redis://127.0.0.1:1' })
    tell('redis', 'loaded')
  } catch (error) {
    tell('redis', told(error))
  }
  process.exit()
})
