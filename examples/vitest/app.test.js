import { ppoppo } from 'express-ppoppo'
import { createMessagingDouble, signInAs } from 'express-ppoppo/testing'
import request from 'supertest'
import { afterAll, expect, test } from 'vitest'
import { createApp } from './app.js'

const ALEX = { sub: '01HZY3V9QK8E5R6T7W8X9Y0Z1A', ppnum: '12312345678' }
const messaging = createMessagingDouble()
const auth = ppoppo({ clientId: 'test', baseUrl: 'http://localhost:3000', messaging })
const app = createApp(auth)
afterAll(() => auth.close())

test('the account page needs a sign-in', async () => {
  const agent = request.agent(app)
  await agent.get('/account').expect(401)
  await signInAs(agent, ALEX)
  await agent.get('/account').expect(200, ALEX)
})

test('an order is confirmed by a message', async () => {
  const agent = request.agent(app)
  await signInAs(agent, ALEX)
  await agent.post('/orders').expect(201)
  expect(messaging.last()?.recipients).toEqual([{ ppnum: ALEX.ppnum, vars: { number: '7' } }])
})
