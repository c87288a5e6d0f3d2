import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../../test/support/until.js'
import { type Browser, locationOf, startWorld, type World } from './support.js'

const TEST_NUMBERS = ['12300000001', '12300000002', '12300000003', '12300000004']

let world: World
beforeAll(async () => {
  world = await startWorld({ pcsPort: 0, pcsStepMs: 10, pcsConsentMs: 300, pcsPollAnswerMs: 10 })
})
afterEach(() => {
  world.sandbox.control.clearFaults()
  world.sandbox.control.pcs.clearFaults()
  world.sandbox.control.set({ pcsRatePerMinute: 6000, pcsMonthlyLimit: null })
  world.errors.length = 0
})
afterAll(() => world.close())

const sends = () => world.sandbox.control.pcs.sends

/** A visitor with the form before them. */
async function writer(): Promise<{ browser: Browser; formId: string }> {
  const browser = world.browser()
  await browser.signIn('/messages')
  return { browser, formId: formIdOf((await browser.get('/messages').redirects(1)).text) }
}

function formIdOf(html: string): string {
  const [, id = ''] = /name="form_id" value="([^"]+)"/.exec(html) ?? []
  expect(id).not.toBe('')
  return id
}

/** The counts of a send, once they match. */
function untilCounts(browser: Browser, path: string, expected: object): Promise<Record<string, unknown>> {
  return until(
    async () => {
      const { body } = await browser.get(`${path}.json`).expect(200)
      const seen = body as Record<string, unknown>
      return Object.entries(expected).every(([name, value]) => seen[name] === value) ? seen : undefined
    },
    `the counts are ${JSON.stringify(expected)}`,
  )
}

describe('a message to oneself', () => {
  test('is sent with one’s name and words, and its delivery can be watched', async () => {
    const { browser, formId } = await writer()
    const message = 'Don’t forget: <b>milk</b>\r\nand bread'
    const path = locationOf(
      await browser.post('/messages', { form_id: formId, template: 'note', to: 'self', message }).expect(303),
    )
    const sent = sends().at(-1)
    expect(sent?.recipients).toMatchObject([
      { ppnum: '77700000001', vars: { from: '777-0000-0001', message: 'Don’t forget: <b>milk</b>\nand bread' } },
    ])
    const done = await untilCounts(browser, path, { isFinished: true })
    expect(done).toMatchObject({ headline: 'Delivered.', delivered: 1, total: 1, isChanging: false })
    const { text } = await browser.get(path).expect(200)
    expect(text).toContain('Delivered.')
    // What was written stands on its page.
    expect(text).toContain('Don’t forget: &lt;b&gt;milk&lt;/b&gt;\nand bread')
    expect((await browser.get('/messages').redirects(1)).text).toContain(`href="${path}"`)
  })

  test('arrives once, however often its form does', async () => {
    const { browser, formId } = await writer()
    const before = sends().length
    const form = { form_id: formId, template: 'note', to: 'self', message: 'once' }
    const answers = await Promise.all([1, 2, 3].map(() => browser.post('/messages', form).expect(303)))
    const again = await browser.post('/messages', form).expect(303)
    expect(sends()).toHaveLength(before + 1)
    const paths = [...answers, again].map((answer) => locationOf(answer).split('?')[0])
    expect(new Set(paths).size).toBe(1)
    expect((await browser.get(locationOf(again))).text).toContain('Nothing was sent twice.')
  })

  test('is nobody else’s to see', async () => {
    const { browser, formId } = await writer()
    const form = { form_id: formId, template: 'note', to: 'self', message: 'mine' }
    const path = locationOf(await browser.post('/messages', form).expect(303))
    world.sandbox.control.set({ autoSignIn: 'mina' })
    try {
      const stranger = world.browser()
      await stranger.signIn()
      await stranger.get(path).expect(404)
      await stranger.get(`${path}.json`).expect(404)
    } finally {
      world.sandbox.control.set({ autoSignIn: 'alex' })
    }
    await world.browser().get(`${path}.json`).set('Accept', 'application/json').expect(401)
  })
})

describe('a message to numbers', () => {
  test('reaches each once, and says in words who is still asked and who was not reached', async () => {
    const { browser, formId } = await writer()
    const [one, two, three, four] = TEST_NUMBERS
    const numbers = `${one}, ${two};\r\n${three}，123-0000-0001\r\n\t${four},\r\n`
    const form = { form_id: formId, template: 'invitation', to: 'numbers', numbers, message: 'Come!' }
    const path = locationOf(await browser.post('/messages', form).expect(303))
    expect(
      sends()
        .at(-1)
        ?.recipients.map(({ ppnum }) => ppnum),
    ).toEqual(TEST_NUMBERS)
    const waiting = await untilCounts(browser, path, { pendingConsent: 2, delivered: 1, failed: 1 })
    expect(waiting).toMatchObject({ headline: 'Waiting for the consent of 2 people.' })
    expect(waiting['html']).toContain('A first message needs the person’s consent')
    const done = await untilCounts(browser, path, { isFinished: true })
    expect(done).toMatchObject({ headline: 'Done: delivered to 2 of 4.', delivered: 2, failed: 2, pendingConsent: 0 })
    expect(done['html']).toContain('Declined, or could not be delivered.')
  })

  test('with a bad line sends nothing, names the line, and gives the form back as it was', async () => {
    const { browser, formId } = await writer()
    const before = sends().length
    const form = {
      form_id: formId,
      template: 'poll',
      to: 'numbers',
      numbers: '12300000001\r\n<script>\r\n\r\n123',
      message: 'kept </textarea>',
    }
    const { text } = await browser.submit('/messages', form)
    expect(text).toContain('Line 2: “&lt;script&gt;” is not a Ppoppo number.')
    expect(text).toContain('Line 4: “123” is not a Ppoppo number.')
    expect(text).toContain('12300000001\n&lt;script&gt;\n\n123</textarea>')
    expect(text).toContain('kept &lt;/textarea&gt;</textarea>')
    expect(text).toMatch(/value="poll" checked/)
    expect(text).toMatch(/value="numbers" checked/)
    expect(sends()).toHaveLength(before)
    // The form still works once the input is fixed.
    const path = locationOf(
      await browser.post('/messages', { ...form, form_id: formIdOf(text), numbers: '12300000001' }).expect(303),
    )
    expect(path).toMatch(/^\/messages\/\d+$/)
    // What was typed is not kept any longer.
    expect(world.database.prepare('SELECT count(*) AS count FROM drafts').get()).toMatchObject({ count: 0 })
  })

  test.each([
    ['no words', { message: ' ' }, 'Please write something.'],
    ['too many words', { message: 'x'.repeat(501) }, 'Please use 500 characters or fewer. This has 501.'],
    ['no numbers', { numbers: ' \n' }, 'Please enter at least one number'],
    [
      'too many numbers',
      { numbers: Array.from({ length: 1_001 }, (_, i) => 12_310_000_000 + i).join('\n') },
      'These are 1,001 numbers, and one send takes 1,000.',
    ],
    ['a form that the app did not make', { form_id: 'made up' }, 'Nothing was sent'],
  ])('with %s says so', async (_what, change, words) => {
    const { browser, formId } = await writer()
    const form = {
      form_id: formId,
      template: 'note',
      to: 'numbers',
      numbers: '12300000001',
      message: 'Hello',
      ...change,
    }
    const before = sends().length
    expect((await browser.submit('/messages', form)).text).toContain(words)
    expect(sends()).toHaveLength(before)
  })

  test('may go to a thousand, and in an hour to three thousand', async () => {
    world.sandbox.control.set({ autoSignIn: 'robo' })
    try {
      for (const isTaken of [true, true, true, false]) {
        const { browser, formId } = await writer()
        const numbers = Array.from({ length: 1_000 }, (_, i) => 12_310_000_000 + i).join('\r\n')
        const form = { form_id: formId, template: 'note', to: 'numbers', numbers, message: 'Hello' }
        const { text } = await browser.submit('/messages', form)
        expect(text.includes('From one account we send to 3,000 people an hour.')).toBe(!isTaken)
      }
    } finally {
      world.sandbox.control.set({ autoSignIn: 'alex' })
    }
  })
})

describe('a poll', () => {
  test('shows its results as they come in, drawn without anything inline', async () => {
    const { browser, formId } = await writer()
    const numbers = Array.from({ length: 20 }, (_, i) => 12_300_000_100 + i).join('\n')
    const form = { form_id: formId, template: 'poll', to: 'numbers', numbers, message: 'Hungry?' }
    const path = locationOf(await browser.post('/messages', form).expect(303))
    // Those whose number ends in 9 never answer.
    await until(async () => {
      const { body } = await browser.get(`${path}.json`).expect(200)
      return JSON.stringify(body).includes('"totalResponses":18')
    })
    const { text } = await browser.get(path).expect(200)
    expect(text).toContain('What shall we have for lunch?')
    expect(text).toContain('18 answers so far')
    expect(text).toMatch(/<th scope="row">Bibimbap<\/th>[\s\S]*?<rect class="bar-delivered" width="[\d.]+"/)
    expect(text).not.toMatch(/ style=| on[a-z]+="|<style|<script(?![^>]* src=)/)
  })

  test('that Ppoppo does not know by the id of its send says so, and takes no id that somebody types', async () => {
    const { browser, formId } = await writer()
    const form = { form_id: formId, template: 'poll', to: 'self', message: 'Hungry?' }
    const path = locationOf(await browser.post('/messages', form).expect(303))
    world.sandbox.control.pcs.inject({
      method: 'GetPollResults',
      times: 'until-cleared',
      fault: { kind: 'status', code: 'NOT_FOUND' },
    })
    const { text } = await browser.get(path).expect(200)
    expect(text).toContain('The results can’t be shown here')
    expect(text).not.toContain('name="poll_id"')
    world.sandbox.control.pcs.clearFaults()

    // Somebody else’s poll, by its id of then and by the id of its send: nothing of it is to be seen.
    world.sandbox.control.set({ autoSignIn: 'mina' })
    try {
      const stranger = world.browser()
      await stranger.signIn('/messages')
      const own = { form_id: randomUUID(), template: 'poll', to: 'self', message: 'Mine?' }
      const ownPath = locationOf(await stranger.post('/messages', own).expect(303))
      const alexPoll = sends().at(-2)?.id ?? ''
      await stranger.post(`${ownPath}/poll`, { poll_id: alexPoll }).expect(404)
      expect((await stranger.get(ownPath).expect(200)).text).not.toContain(alexPoll)
    } finally {
      world.sandbox.control.set({ autoSignIn: 'alex' })
    }
  })
})

describe('a form', () => {
  test('has its id in its address, and keeps it when one comes back to it', async () => {
    const { browser } = await writer()
    const address = locationOf(await browser.get('/messages?notice=name-saved').expect(303))
    expect(address).toMatch(/^\/messages\?notice=name-saved&form=[0-9a-f-]{36}$/)
    const first = formIdOf((await browser.get(address).expect(200)).text)
    expect(formIdOf((await browser.get(address).expect(200)).text)).toBe(first)
    expect(address).toContain(first)
    // Another form is another message.
    expect(locationOf(await browser.get('/messages').expect(303))).not.toContain(first)
  })

  test('that was sent shows no form when one goes back to it, and is not sent again', async () => {
    const { browser } = await writer()
    const address = locationOf(await browser.get('/messages').expect(303))
    const form = { form_id: formIdOf((await browser.get(address)).text), template: 'note', to: 'self', message: 'once' }
    const path = locationOf(await browser.post('/messages', form).expect(303))
    const before = sends().length
    const { text } = await browser.get(address).expect(200)
    expect(text).toContain('You have sent this')
    expect(text).toContain(`href="${path}"`)
    expect(text).not.toContain('name="form_id"')
    const again = await browser.submit('/messages', { ...form, message: 'other words, same form' })
    expect(again.text).toContain('Nothing was sent twice.')
    expect(sends()).toHaveLength(before)
  })

  test('is nobody else’s: its draft is not shown in another account', async () => {
    const { browser, formId } = await writer()
    await browser.submit('/messages', {
      form_id: formId,
      template: 'note',
      to: 'numbers',
      numbers: 'x',
      message: 'secret words',
    })
    expect((await browser.get(`/messages?form=${formId}`)).text).toContain('secret words')
    world.sandbox.control.set({ autoSignIn: 'mina' })
    try {
      const stranger = world.browser()
      await stranger.signIn('/messages')
      expect((await stranger.get(`/messages?form=${formId}`).expect(200)).text).not.toContain('secret words')
    } finally {
      world.sandbox.control.set({ autoSignIn: 'alex' })
    }
  })
})

describe('in a Korean browser', () => {
  test('every page is in Korean and says so, and the news of a message too', async () => {
    const browser = world.browser(undefined, 'ko-KR,ko;q=0.9,en;q=0.8')
    await browser.signIn()
    for (const path of ['/', '/dashboard', '/messages', '/sign-ins', '/nope']) {
      const { text, headers } = await browser.get(path).redirects(1)
      expect(text).toContain('<html lang="ko">')
      expect(headers['vary']).toMatch(/Accept-Language/i)
      // Nothing that one reads is in English, apart from names.
      const words = text
        .replace(
          /<head>[\s\S]*?<\/head>|<code>[\s\S]*?<\/code>|<(ul class="tags"|time)[\s\S]*?<\/(ul|time)>|<[^>]*>/g,
          ' ',
        )
        .replaceAll(/Ppoppo|express-ppoppo|AI|JSON|ID|API|UTC|Firefox|Windows|sub|alex@example\.test|\/api\/me/g, ' ')
      expect(words.match(/[A-Za-z]{2,}/g) ?? []).toEqual([])
    }
    const form = { form_id: randomUUID(), template: 'note', to: 'numbers', numbers: 'x', message: '안녕' }
    expect((await browser.submit('/messages', form)).text).toContain('1번째 줄: “x”')
    const path = locationOf(await browser.post('/messages', { ...form, numbers: '12300000004' }).expect(303))
    expect(await untilCounts(browser, path, { isFinished: true })).toMatchObject({
      headline: '완료: 1명 중 0명에게 전달되었습니다.',
    })
  })

  test.each([
    ['en-US,en;q=0.9,ko;q=0.8', 'en'],
    ['ko', 'ko'],
    ['ja,ko;q=0.5', 'ko'],
    ['fr', 'en'],
    ['*', 'en'],
  ])('of %s the page speaks %s', async (accept, language) => {
    const { text } = await world.browser(undefined, accept).get('/')
    expect(text).toContain(`<html lang="${language}">`)
  })
})
