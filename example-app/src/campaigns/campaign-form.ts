/* The form for a new campaign, and what is wrong with it. */
import { parsePpnum } from 'express-ppoppo'
import type { CampaignRequest } from 'express-ppoppo/campaigns'
import { field } from '../messages/draft.js'
import { isTemplateKey, type TemplateKey } from '../messages/templates.js'
import type { TroubleKey } from '../texts/texts.js'
import { isVisible } from '../visible.js'

export interface CampaignForm {
  readonly id: string
  readonly template: TemplateKey
  readonly message: string
  readonly numbers: string
  /** `HH:MM`, or empty. */
  readonly from: string
  readonly to: string
  /** IANA name. */
  readonly timeZone: string
}

const MOST_CHARACTERS = 500

export const emptyCampaignForm: CampaignForm = {
  ...{ id: '', template: 'note', message: '', numbers: '', from: '', to: '' },
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
}

export function readCampaignForm(body: unknown): CampaignForm {
  const [template, text] = [field(body, 'template'), (name: string) => field(body, name).trim()]
  return {
    id: text('id'),
    template: isTemplateKey(template) ? template : 'note',
    message: field(body, 'message').replaceAll('\r\n', '\n'),
    numbers: field(body, 'numbers'),
    from: text('from'),
    to: text('to'),
    timeZone: text('time_zone'),
  }
}

/** What the library is to be asked for, but for the template's id; or the first thing to fix. */
export function checkCampaignForm(
  { id, message, numbers, from, to, timeZone }: CampaignForm,
  sender: string,
): { readonly request: Omit<CampaignRequest, 'templateId'> } | { readonly problem: TroubleKey } {
  if (!/^[\w.-]{1,100}$/.test(id)) return { problem: 'campaign_id' }
  if (!isVisible(message) || [...message].length > MOST_CHARACTERS) return { problem: 'campaign_message' }
  const ppnums = readNumbers(numbers)
  if (ppnums === undefined || ppnums.length === 0) return { problem: 'campaign_numbers' }
  const vars = { from: sender, message: message.trim() }
  const recipients = ppnums.map((ppnum) => ({ ppnum, vars }))
  if (from === '' && to === '') return { request: { id, recipients } }
  return { request: { id, recipients, window: { from, to, timeZone } } }
}

/** `undefined` where one of them is none. */
function readNumbers(text: string): readonly string[] | undefined {
  try {
    return text
      .split(/[\n,;]/)
      .filter((entry) => entry.trim() !== '')
      .map((entry) => parsePpnum(entry))
  } catch {
    return undefined
  }
}
