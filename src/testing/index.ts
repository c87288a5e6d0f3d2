/*
 * Helpers for the tests of apps. Owns: sign-ins without a browser, and a Messaging client that sends nothing. Never does:
 * load in production, replace a check that the library itself makes.
 */
import './refuse-production.js'

export { createMessagingDouble } from './messaging-double.js'
export type { MessagingDouble, PollDouble, SentMessage } from './messaging-double-types.js'
export { type SignInAsOptions, signInAs, type TestUser } from './sign-in-as.js'
export type { SupertestAgent } from './supertest-agent.js'
export { type PlaywrightCookie, toPlaywright } from './to-playwright.js'
