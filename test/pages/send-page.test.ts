import { expect, test } from '@jest/globals'
import express from 'express'
import helmet from 'helmet'
import request from 'supertest'
import { type Page, sendPage } from '../../src/pages/send-page.js'
import { PAGE_STYLE_SOURCE } from '../../src/pages/style.js'

const PAGE: Page = { status: 200, html: '', language: 'en', hasForm: false, isCallback: false, isFramed: false }

const PAGES: readonly (readonly [string, Page, string, string])[] = [
  ['without a form', PAGE, "'none'", 'no-referrer'],
  ['with a form', { ...PAGE, hasForm: true }, "'self'", 'same-origin'],
  [
    'with a form to another origin',
    { ...PAGE, hasForm: true, formTarget: 'https://a.example/x' },
    "'self' https://a.example",
    'same-origin',
  ],
  ['of the callback', { ...PAGE, hasForm: true, isCallback: true }, "'self'", 'strict-origin'],
  ['that any site may frame', { ...PAGE, isFramed: true }, "'none'", 'no-referrer'],
]

test.each(PAGES)('a page %s has the headers that helmet sets', async (_name, page, formAction, policy) => {
  const app = express()
  app.get('/ours', (_req, res) => sendPage(res, page))
  app.get(
    '/helmet',
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          styleSrc: [PAGE_STYLE_SOURCE],
          formAction: formAction.split(' '),
          frameAncestors: [page.isFramed ? '*' : "'none'"],
          baseUri: ["'none'"],
        },
      },
      referrerPolicy: { policy: policy as 'no-referrer' },
      xFrameOptions: page.isFramed ? false : { action: 'deny' },
      crossOriginResourcePolicy: { policy: page.isFramed ? 'cross-origin' : 'same-origin' },
      crossOriginEmbedderPolicy: page.isFramed && { policy: 'require-corp' },
      strictTransportSecurity: false,
    }),
    (_req, res) => void res.end(),
  )
  const { headers: ours } = await request(app).get('/ours')
  const { headers: theirs } = await request(app).get('/helmet')
  const ofPages = ['cache-control', 'content-language', 'content-type', 'content-length', 'vary', 'date']
  const secure = (headers: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !ofPages.includes(name)))
  expect(secure(ours)).toEqual(secure(theirs))
})
