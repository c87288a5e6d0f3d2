// No Express: sends to a list, and says what became of it. The credentials are the sandbox's; it prints them.
import { createMessaging } from 'express-ppoppo/messaging'

const messaging = createMessaging({ environment: 'local' }) // PAS_PCS_CLIENT_ID, PAS_PCS_CLIENT_SECRET

const deliveries = messaging.consume({
  name: 'example-worker',
  handler: async ({ type, recipient }) => console.log(type, recipient?.ppnum ?? ''),
})

const report = await messaging.sendMany({
  templateId: 'tpl_sandbox_welcome',
  recipients: [
    { ppnum: '12300000001', vars: { name: 'Alex' } },
    { ppnum: '12300000002', vars: { name: 'Sam' } },
  ],
})
console.log(`accepted ${report.accepted}, rejected ${report.rejected}, unknown ${report.unknown}`)

process.once('SIGTERM', () => messaging.close())
await deliveries.closed
