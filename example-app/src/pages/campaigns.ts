/*
 * Campaigns: start one, watch it, pause, resume and cancel it, and decide about chunks with an unknown outcome. The routes
 * hold no state: everything is in Redis, and the library decides who sends what.
 */
import express, { type Request, type Response, Router } from 'express'
import { formatPpnum, isPpoppoError } from 'express-ppoppo'
import type { Campaign } from 'express-ppoppo/campaigns'
import { signedInPerson } from '../account.js'
import type { CampaignDesk } from '../campaigns/campaign-desk.js'
import {
  type CampaignForm,
  checkCampaignForm,
  emptyCampaignForm,
  readCampaignForm,
} from '../campaigns/campaign-form.js'
import { actionsOf, unknownOf } from '../campaigns/campaign-view.js'
import { HttpError } from '../http-error.js'
import { type CampaignStreamParts, streamCampaign } from '../live/campaign-stream.js'
import type { StreamLimit } from '../live/stream-limit.js'
import { explain, type Trouble } from '../messages/explain.js'
import { isTemplateKey, TEMPLATES, type TemplateIds } from '../messages/templates.js'

export interface CampaignRoutesParts extends CampaignStreamParts {
  readonly desk: CampaignDesk
  readonly templateIds: TemplateIds
  readonly streams: StreamLimit
}

const LIST_LENGTH = 50
const WISHES = ['pause', 'resume', 'cancel'] as const

/** Mount it behind `requireSignIn()` and `operatorsOnly()`. */
export function campaignRoutes(parts: CampaignRoutesParts): Router {
  const router = Router()
  const { desk, streams, views } = parts

  router.get('/campaigns', (req, res) => sendList(parts, req, res, { form: emptyCampaignForm }))

  // Some 80,000 numbers. For longer lists there is the worker.
  const readLongBody = express.urlencoded({ extended: false, limit: '1mb' })
  router.post('/campaigns', readLongBody, async (req, res) => {
    const form = readCampaignForm(req.body)
    const trouble = await create(parts, req, form)
    // The list may be long: it is shown again in this answer, and not kept for a redirect. Sending it again does no harm,
    // since the same id and content is the same campaign.
    if (trouble !== undefined) return sendList(parts, req, res.status(400), { form, trouble })
    res.redirect(303, `/campaigns/${form.id}`)
  })

  router.get('/campaigns/:id', async (req, res) => {
    const campaign = await campaignOf(desk, req)
    const progress = await campaign.show()
    const unknown = progress.unknown === 0 ? [] : await unknownOf(campaign)
    views.send(req, res, 'campaign', { progress, actions: actionsOf(progress), unknown })
  })

  router.get('/campaigns/:id/events', async (req, res) => {
    const campaign = await campaignOf(desk, req)
    if (streams.enter(req, res, signedInPerson(req).account.id)) await streamCampaign(parts, campaign, req, res)
  })

  const readBody = express.urlencoded({ extended: false, limit: '8kb' })
  for (const wish of WISHES) {
    router.post(`/campaigns/:id/${wish}`, async (req, res) => {
      const campaign = await campaignOf(desk, req)
      await campaign[wish]()
      res.redirect(303, `/campaigns/${campaign.id}`)
    })
  }

  router.post('/campaigns/:id/settle', readBody, async (req, res) => {
    const campaign = await campaignOf(desk, req)
    const { index, verdict } = Object(req.body)
    if (!/^\d{1,9}$/.test(String(index)) || (verdict !== 'sent' && verdict !== 'not-sent'))
      throw new HttpError(400, 'bad_request')
    await campaign.settle(Number(index), verdict).catch((error: unknown) => {
      if (!isPpoppoError(error, 'not_found')) throw error // else somebody has answered meanwhile, or an event has
    })
    res.redirect(303, `/campaigns/${campaign.id}`)
  })

  return router
}

/** @throws HttpError 404 */
async function campaignOf({ campaigns }: CampaignDesk, req: Request): Promise<Campaign> {
  try {
    const campaign = campaigns.get(String(req.params['id']))
    await campaign.show()
    return campaign
  } catch (error) {
    if (isPpoppoError(error, 'not_found') || isPpoppoError(error, 'request_invalid'))
      throw new HttpError(404, 'no_such_campaign')
    throw error
  }
}

/** @returns what is in the way */
async function create(
  { desk, templateIds, log }: CampaignRoutesParts,
  req: Request,
  form: CampaignForm,
): Promise<Trouble | undefined> {
  const { user, account } = signedInPerson(req)
  const checked = checkCampaignForm(form, account.displayName ?? formatPpnum(user.ppnum))
  if ('problem' in checked) return { key: checked.problem }
  try {
    await templateIds.use(form.template, req.ppoppo.messaging, (templateId) =>
      desk.campaigns.create({ ...checked.request, templateId }),
    )
    return undefined
  } catch (error) {
    if (isPpoppoError(error, 'campaign_conflict')) return { key: 'campaign_conflict' }
    const trouble = explain(error)
    if (trouble.forOperator !== undefined) log(error)
    return trouble
  }
}

async function sendList(
  { desk, views }: CampaignRoutesParts,
  req: Request,
  res: Response,
  page: { readonly form: CampaignForm; readonly trouble?: Trouble },
): Promise<void> {
  views.send(req, res, 'campaigns', {
    ...page,
    templates: Object.keys(TEMPLATES).filter(isTemplateKey),
    list: await desk.campaigns.list({ limit: LIST_LENGTH }),
  })
}
