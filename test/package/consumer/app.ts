import express from 'express'
import { denySignIn, formatPpnum, PpoppoError, type PpoppoOptions, parsePpnum, ppoppo } from 'express-ppoppo'

const options: PpoppoOptions = {
  clientId: 'example_login_client',
  baseUrl: 'http://localhost:3000',
  onSignIn(user) {
    if (user.accountType === 'ai_agent') throw denySignIn('people only')
    return { id: 1 }
  },
}
const auth = ppoppo(options)
const app = express()
app.use(auth)
app.get('/', (req, res) => {
  const status: 'signed-in' | 'signed-out' | 'unavailable' = req.ppoppo.status
  res.send(`${status} ${auth.signInButton()}`)
})
app.get('/me', auth.requireSignIn(), async (req, res, next) => {
  try {
    const { sub, ppnum, createdAt }: { sub: string; ppnum: string; createdAt: Date } = await req.ppoppo.userinfo()
    res.json({ sub, ppnum: formatPpnum(ppnum), createdAt, account: req.ppoppo.account })
  } catch (error) {
    if (error instanceof PpoppoError && error.code === 'store_unavailable') res.sendStatus(503)
    else next(error)
  }
})
app.get('/session', (req, res) => void res.send(`${req.session.id} ${req.sessionID}`))
app.use(auth.session, auth.middleware, auth.router)
export const number: string | undefined = parsePpnum('123-1234-5678')
await auth.close()
