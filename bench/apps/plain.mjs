import express from 'express'

/** Express alone: nobody is signed in, and nothing is stored. */
export function createApp() {
  const app = express()
  app.get('/', (_req, res) => res.send('home'))
  app.get('/me', (_req, res) => res.json({ sub: '01HQUSER', ppnum: '12312345678' }))
  return { app }
}
