import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { PpoppoError } from 'express-ppoppo'
import { explain } from '../src/messages/explain.js'
import { type Browser, locationOf, startWorld, type World } from './support.js'

let world: World
beforeAll(async () => {
  world = await startWorld({ pcsPort: 0, pcsStepMs: 10 })
})
afterEach(() => {
  world.sandbox.control.pcs.reset()
  world.sandbox.control.set({ pcsRatePerMinute: 6000, pcsMonthlyLimit: null, pcsAppState: 'active' })
  world.errors.length = 0
})
afterAll(() => world.close())

const sends = () => world.sandbox.control.pcs.sends

async function newForm(browser: Browser) {
  const { text } = await browser.get('/messages').redirects(1)
  const [, formId = ''] = /name="form_id" value="([^"]+)"/.exec(text) ?? []
  return { form_id: formId, template: 'note', to: 'numbers', numbers: '12300000001', message: 'Hello there' }
}

async function visitor(): Promise<Browser> {
  const browser = world.browser()
  await browser.signIn('/messages')
  return browser
}

describe('a send', () => {
  test('with an unknown outcome is not retried, and the page explains what that means', async () => {
    const browser = await visitor()
    const form = await newForm(browser)
    const before = sends().length
    const fault = { kind: 'drop', afterProcessing: true } as const
    world.sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 1, fault })
    const path = locationOf(await browser.post('/messages', form).expect(303))
    const { text } = await browser.get(path).expect(200)
    expect(text).toContain('It may have been sent.')
    expect(text).toContain('Ask one of the recipients before you send it again.')
    await browser.post('/messages', form).expect(303)
    expect(sends()).toHaveLength(before + 1)
    expect((await browser.get('/messages').redirects(1)).text).toContain('It may have been sent.')
    expect(world.errors).toMatchObject([{ code: 'send_outcome_unknown' }])
  })

  test('that was cut off with the process is shown as one that may have been sent', async () => {
    const browser = await visitor()
    const path = locationOf(await browser.post('/messages', await newForm(browser)).expect(303))
    const id = Number(path.split('/').at(-1))
    world.database
      .prepare(
        `UPDATE sends SET state = 'sending', request_id = NULL, created_at = '2026-01-01T00:00:00Z' WHERE id = ?`,
      )
      .run(id)
    expect((await browser.get(path).expect(200)).text).toContain('It may have been sent.')
  })

  test('above the rate limit comes back as it was, with when to try again', async () => {
    const browser = await visitor()
    const form = await newForm(browser)
    const trailers = { 'retry-after-ms': '42000' }
    const fault = { kind: 'status', code: 'RESOURCE_EXHAUSTED', trailers } as const
    world.sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 'until-cleared', fault })
    const { text } = await browser.submit('/messages', form)
    expect(text).toContain('Nothing was sent.')
    expect(text).toMatch(/Too many messages at once\. Try again after <time datetime="2/)
    const [, at = ''] = /<time datetime="([^"]+)" data-exact/.exec(text) ?? []
    expect(Date.parse(at) - Date.now()).toBeGreaterThan(30_000)
    expect(text).toContain('Hello there</textarea>')
    // Its new form works once the wait is over.
    world.sandbox.control.pcs.clearFaults()
    const [, formId = ''] = /name="form_id" value="([^"]+)"/.exec(text) ?? []
    expect(formId).not.toBe(form.form_id)
    await browser.post('/messages', { ...form, form_id: formId }).expect(303)
  })

  test('above the monthly quota says so', async () => {
    const browser = await visitor()
    const form = await newForm(browser)
    world.sandbox.control.set({ pcsMonthlyLimit: 1 })
    form.numbers += '\n12300000002'
    expect((await browser.submit('/messages', form)).text).toContain('used up its messages for this month')
  })

  test('creates a template again that Ppoppo has forgotten, and reports one that is inactive', async () => {
    const browser = await visitor()
    await browser.post('/messages', await newForm(browser)).expect(303)
    world.database.exec(`UPDATE templates SET template_id = 'tpl_of_another_sandbox'`)
    // Its name is taken at Ppoppo, by the one we no longer know.
    await browser.post('/messages', await newForm(browser)).expect(303)
    const { templateId = '' } = sends().at(-1) ?? {}
    expect(world.sandbox.control.pcs.templates.find(({ id }) => id === templateId)?.name).toMatch(
      /^example-app note 1 [0-9a-f]{8}$/,
    )
    await browser.post('/messages', await newForm(browser)).expect(303)
    expect(sends().at(-1)?.templateId).toBe(templateId)

    world.sandbox.control.pcs.setTemplateActive(templateId, false)
    const { text } = await browser.submit('/messages', await newForm(browser))
    expect(text).toContain('For whoever runs this app:')
    world.sandbox.control.pcs.setTemplateActive(templateId, true)
  })

  test('to somebody Ppoppo does not know makes one more template at most, however often', async () => {
    const browser = await visitor()
    const form = async () => ({ ...(await newForm(browser)), template: 'invitation' })
    await browser.post('/messages', await form()).expect(303)
    const before = world.sandbox.control.pcs.templates.length
    const fault = { kind: 'status', code: 'NOT_FOUND' } as const
    world.sandbox.control.pcs.inject({ method: 'CreateSendRequest', times: 'until-cleared', fault })
    for (let i = 0; i < 3; i += 1) {
      const { text } = await browser.submit('/messages', await form())
      expect(text).toContain('Ppoppo does not know this message, or one of these people.')
    }
    expect(world.sandbox.control.pcs.templates).toHaveLength(before + 1)
    world.sandbox.control.pcs.clearFaults()
    await browser.post('/messages', await form()).expect(303)
  })

  test('with an option that is wrong was surely not made', () => {
    const error = new PpoppoError('config_invalid', 'apiUrl is wrong')
    expect(explain(error)).toEqual({ key: 'config_invalid', forOperator: 'apiUrl is wrong' })
  })
})

describe('the page', () => {
  test('stays up with one clear line while Ppoppo’s messaging is down, and shows what it knew', async () => {
    const browser = await visitor()
    const path = locationOf(await browser.post('/messages', await newForm(browser)).expect(303))
    const fault = { kind: 'status', code: 'UNAVAILABLE' } as const
    for (const method of ['GetAppStats', 'GetSendRequestStatus', 'CreateSendRequest'] as const) {
      world.sandbox.control.pcs.inject({ method, times: 'until-cleared', fault })
    }
    const list = await browser.get('/messages').redirects(1)
    expect(list.text.split('Ppoppo’s messaging does not answer right now.')).toHaveLength(2)
    expect(list.text).toContain(`href="${path}"`)
    await browser.get(path).expect(200)
    await browser.get(`${path}.json`).expect(200)
  })

  test('says which app state is in the way', async () => {
    const browser = await visitor()
    world.sandbox.control.set({ pcsAppState: 'suspended' })
    const { text } = await browser.get('/messages').redirects(1)
    expect(text).toContain('Ppoppo does not let this app send messages at the moment.')
    expect(world.errors).toMatchObject([{ code: 'permission_denied' }])
  })

  test('asks for a sign-in, and takes no form of another site', async () => {
    await world.browser().get('/messages').expect(302)
    const browser = await visitor()
    const form = await newForm(browser)
    const before = sends().length
    await browser
      .post('/messages', form, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' })
      .expect(403)
    expect(sends()).toHaveLength(before)
  })
})

describe('without credentials', () => {
  test('the page says which variables to set, and nothing is lost', async () => {
    const bare = await startWorld()
    try {
      const browser = bare.browser()
      await browser.signIn('/messages')
      const form = await newForm(browser)
      const { text } = await browser.submit('/messages', form)
      for (const word of ['Messages are not set up', 'PAS_PCS_CLIENT_ID', 'PAS_PCS_CLIENT_SECRET', 'Hello there']) {
        expect(text).toContain(word)
      }
    } finally {
      await bare.close()
    }
  })
})
