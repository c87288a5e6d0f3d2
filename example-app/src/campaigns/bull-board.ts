/*
 * Bull Board shows the queue under the campaigns. It is read-only: what is to be sent, the ledger decides, so its buttons
 * would change nothing for the better. No recipient is in the queue.
 */
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import { Router } from 'express'
import helmet from 'helmet'
import type { CampaignDesk } from './campaign-desk.js'

/** Its own files only, as on our pages. It has a `<base>` and inline styles, which our policy forbids. */
const policy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'self'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
})

export function bullBoard({ campaigns }: CampaignDesk, path: string): Router {
  const adapter = new ExpressAdapter()
  adapter.setBasePath(path)
  createBullBoard({ queues: [new BullMQAdapter(campaigns.queue, { readOnlyMode: true })], serverAdapter: adapter })
  return Router().use(policy, adapter.getRouter())
}
