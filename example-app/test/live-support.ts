/* A page's open connection, as text; and deliveries without Ppoppo. */
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { MessagingEvent, MessagingEventType } from 'express-ppoppo'
import type { MessageStore } from '../src/messages/message-store.js'
import type { Browser, World } from './support.js'

export interface Received {
  readonly id?: string
  readonly event?: string
  readonly data?: Record<string, unknown>
}

export interface OpenStream {
  readonly answer: IncomingMessage
  /** As it came. */
  readonly text: () => string
  readonly received: Received[]
  /** Waits until they hold what is wanted. */
  until(isThere: (received: readonly Received[]) => boolean): Promise<void>
  /** When the server ended it. */
  readonly ended: Promise<void>
  close(): void
}

export async function openStream(
  { url }: Pick<World, 'url'>,
  browser: Pick<Browser, 'cookies'>,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenStream> {
  const asked = request(url + path, {
    agent: false,
    headers: { Cookie: browser.cookies(), Accept: 'text/event-stream', 'Sec-Fetch-Mode': 'cors', ...headers },
  })
  asked.on('error', () => {}) // closed by us
  asked.end()
  const [answer]: IncomingMessage[] = await once(asked, 'response')
  if (answer === undefined) throw new Error('no answer')
  let text = ''
  let parsed = 0
  const received: Received[] = []
  answer.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const end = text.lastIndexOf('\n\n') + 2
    received.push(...parse(text.slice(parsed, end)))
    parsed = Math.max(parsed, end)
    answer.emit('received')
  })
  answer.on('error', () => {})
  // Not once(): a connection that was cut raises an error first, and that is an end, too.
  const ended = new Promise<void>((resolve) => answer.on('close', resolve))
  const isOver = ended.then(() => {
    throw new Error(`it ended with:\n${text.slice(-500)}`)
  })
  isOver.catch(() => {})
  return {
    answer,
    text: () => text,
    received,
    async until(isThere) {
      while (!isThere(received)) await Promise.race([once(answer, 'received'), isOver])
    },
    ended,
    close: () => void asked.destroy(),
  }
}

/** Whole blocks, as a browser takes them. */
function parse(blocks: string): readonly Received[] {
  return blocks
    .split('\n\n')
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))))
    .filter(({ data, id }) => data !== undefined || id !== undefined)
    .map(({ data, ...rest }) => ({ ...rest, ...(data !== undefined && { data: JSON.parse(data) }) }))
}

/** The events told so far, in order. */
export const deliveries = ({ received }: OpenStream): readonly Received[] =>
  received.filter(({ event }) => event === 'delivery')
export const eventIds = (stream: OpenStream): readonly unknown[] =>
  deliveries(stream).map(({ data }) => data?.['eventId'])
export const lastId = (stream: OpenStream): string => stream.received.findLast(({ id }) => id !== undefined)?.id ?? ''

let made = 0
/** An event as the library hands it out. */
export function eventOf(
  sendRequestId: string,
  type: MessagingEventType,
  ppnum?: string,
  errorCode?: string,
): MessagingEvent {
  made += 1
  return {
    eventId: `01EVENT${String(made).padStart(19, '0')}`,
    sendRequestId,
    type,
    ...(ppnum !== undefined && { recipient: { ppnum, ...(errorCode !== undefined && { errorCode }) } }),
    occurredAt: new Date(Date.UTC(2026, 0, 1, 0, 0, 0, made)),
  }
}

/** A send that Ppoppo has accepted, without asking Ppoppo. */
export function acceptedSend(
  { sends }: MessageStore,
  accountId: number,
  ppnums: readonly string[],
  requestId = `snd_${Math.random()}`,
): { readonly id: number; readonly requestId: string } {
  const { send } = sends.begin({ accountId, formId: requestId, template: 'note', ppnums, message: 'Hello' })
  sends.accept(send.id, { id: requestId, status: 'queued', totalRecipients: ppnums.length })
  return { id: send.id, requestId }
}

export async function accountOf(browser: Browser): Promise<number> {
  const { body } = await browser.get('/api/me').set('Accept', 'application/json').expect(200)
  return (body as { account: { id: number } }).account.id
}
