/*
 * The open page of a campaign. Its state is in Redis, so any instance can show it, whoever sends. What is written is HTML
 * from the templates that drew the page, in parts, so that a count that changes does not redraw a button under a finger.
 */
import type { Request, Response } from 'express'
import type { Campaign, CampaignProgress } from 'express-ppoppo/campaigns'
import { actionsOf, headlineOf, unknownOf } from '../campaigns/campaign-view.js'
import { textsOf } from '../texts/texts-of.js'
import type { Views } from '../views.js'
import { beginEventStream, formatEvent, type ServerEvent } from './server-sent-events.js'
import { isStillSignedIn } from './stream-limit.js'

export interface CampaignStreamParts {
  readonly views: Views
  readonly log: (error: unknown) => void
  /** @default 15_000 */
  readonly heartbeatMs?: number
}

/** `progress()` ends with the campaign. It may go on even so: a chunk is settled as not sent. */
const AFTER_END_MS = 5_000

/** Writes until the browser leaves, or the sign-in ends. */
export async function streamCampaign(
  { views, log, heartbeatMs = 15_000 }: CampaignStreamParts,
  campaign: Campaign,
  req: Request,
  res: Response,
): Promise<void> {
  const left = new AbortController()
  const leave = (): void => left.abort()
  res.on('close', leave)
  beginEventStream(res)
  const heart = setInterval(() => {
    res.write(': still here\n\n')
    // A store that does not answer is not a sign-out.
    isStillSignedIn(req).then(
      (isSignedIn) => isSignedIn || leave(),
      () => {},
    )
  }, heartbeatMs)
  try {
    while (!left.signal.aborted) {
      for await (const progress of campaign.progress({ signal: left.signal })) {
        for (const event of await eventsOf(views, campaign, progress, req)) res.write(formatEvent(event))
      }
      await until(left.signal, AFTER_END_MS)
    }
  } catch (error) {
    log(error) // the browser comes back
  } finally {
    clearInterval(heart)
    res.end()
  }
}

async function eventsOf(
  views: Views,
  campaign: Campaign,
  progress: CampaignProgress,
  req: Request,
): Promise<readonly ServerEvent[]> {
  const t = textsOf(req)
  const unknown = progress.unknown === 0 ? [] : await unknownOf(campaign)
  const html = views.fragment('campaign-progress', { progress }, t)
  return [
    { name: 'progress', data: { send: progress.id, headline: headlineOf(progress, t), html } },
    part('actions', views.fragment('campaign-actions', actionsOf(progress), t)),
    part('unknown', views.fragment('campaign-unknown', { id: progress.id, unknown }, t)),
  ]
}

const part = (name: string, html: string): ServerEvent => ({ name: 'part', data: { part: name, html } })

function until(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
