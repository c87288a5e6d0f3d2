import { ppoppo } from 'express-ppoppo'

export const port = Number(process.env.PORT ?? 3000)
export const auth = ppoppo({
  clientId: 'nest_login_client',
  baseUrl: `http://localhost:${port}`,
  environment: 'local',
})
