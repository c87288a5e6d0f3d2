import { ERROR_CATALOGUE, PpoppoError, type PpoppoErrorCode } from '../errors.js'
import { LONG_RUN_OPTIONS, parseCallOptions } from '../messaging/call/call-options.js'
import { createSendMany, OpenRuns } from '../messaging/send-many/send-many.js'
import type {
  CallOptions,
  SendReceipt,
  SendRequest,
  SendStatus,
  Template,
  TemplateSendRequest,
} from '../messaging/types/methods.js'
import { checkAllVars, toPlainRequest } from '../messaging/wire/defined-template.js'
import { createKnownTemplates } from '../messaging/wire/placeholders.js'
import { parseId, parseSendRequest } from '../messaging/wire/validate.js'
import { parseTemplateRequest } from '../messaging/wire/validate-template.js'
import { createConsumerDoubles } from './consumer-double.js'
import { countAnswers, statusOf } from './event-counts.js'
import { EventLog } from './event-log.js'
import { createIds } from './ids.js'
import type { MessagingDouble, PollDouble, SentMessage } from './messaging-double-types.js'
import { waitUntil } from './wait-until.js'

const MAX_SENT = 100_000

/**
 * Makes a Messaging client for tests. Pass it where your code takes a `Messaging`, or as `ppoppo({ messaging })`.
 *
 * @example
 * const messaging = createMessagingDouble()
 * await placeOrder({ messaging })
 * assert.equal(messaging.last()?.recipients[0]?.ppnum, '12312345678')
 */
export function createMessagingDouble(): MessagingDouble {
  const nextId = createIds()
  const log = new EventLog()
  const consumers = createConsumerDoubles(log)
  const runs = new OpenRuns()
  const sent: SentMessage[] = []
  const failures: PpoppoError[] = []
  const polls = new Map<string, PollDouble>()
  const changes = new Set<() => void>()
  let known = createKnownTemplates()
  let templates = new Map<string, Template>()
  let isClosed = false

  const notify = (): void => {
    for (const look of [...changes]) look()
  }
  function assertOpen(): void {
    if (isClosed) throw new PpoppoError('closed', 'This Messaging double was closed: create a new one.')
  }
  /** Called at the start of every call that would reach PCS. */
  function begin(options: CallOptions | undefined): void {
    assertOpen()
    parseCallOptions(options).signal?.throwIfAborted()
    const failure = failures.shift()
    if (failure) throw failure
  }
  function sendOf(id: string): SentMessage {
    const found = sent.find((one) => one.id === parseId(id, 'id'))
    if (!found) throw new PpoppoError('not_found', `The double has no send with the id ${id}.`)
    return found
  }

  async function send(request: SendRequest | TemplateSendRequest, options?: CallOptions): Promise<SendReceipt> {
    assertOpen()
    const plain = toPlainRequest(request)
    const { recipients, ...checked } = parseSendRequest(plain.checkVars ? await checkAllVars(plain) : request)
    const complete = { ...checked, recipients: known.check(checked.templateId, recipients) }
    begin(options)
    if (sent.length >= MAX_SENT)
      throw new PpoppoError('quota_exceeded', `The double keeps ${MAX_SENT} sends; call reset().`)
    const id = nextId()
    sent.push({ ...structuredClone(complete), id, sentAt: new Date() })
    notify()
    return { id, status: 'queued', totalRecipients: complete.recipients.length }
  }

  async function status(id: string, options?: CallOptions): Promise<SendStatus> {
    begin(options)
    return statusOf(sendOf(id), log.all())
  }

  async function waitForStatus(id: string, options: CallOptions = {}): Promise<SendStatus> {
    const { signal, deadlineMs = 600_000 } = parseCallOptions(options, LONG_RUN_OPTIONS)
    const isFinal = ({ status: state }: SendStatus): boolean => state === 'completed' || state === 'failed'
    await status(id, options)
    return waitUntil({
      look: () => [statusOf(sendOf(id), log.all())].find(isFinal),
      changes,
      timeoutMs: deadlineMs,
      describe: () => `waitFor: ${id} did not complete. Emit "request_completed" for it.`,
      ...(signal && { signal }),
    })
  }

  function waitForSend(
    predicate: (one: SentMessage) => boolean,
    { timeoutMs = 1_000 }: { readonly timeoutMs?: number } = {},
  ): Promise<SentMessage> {
    return waitUntil({
      look: () => sent.find(predicate),
      changes,
      timeoutMs,
      describe: () => `waitFor: none of ${sent.length} sends is the one that was waited for.`,
    })
  }

  return {
    sent,
    last: () => sent.at(-1),
    send: (request, options) => send(request, options),
    sendMany: createSendMany({
      send,
      runs,
      assertOpen,
      checkRecipient: (templateId, recipient) => void known.check(templateId, [recipient]),
    }),
    status,
    waitFor: ((first: string | ((one: SentMessage) => boolean), options: object = {}) =>
      typeof first === 'function'
        ? waitForSend(first, options)
        : waitForStatus(first, options)) as MessagingDouble['waitFor'],
    templates: {
      async create(request, options) {
        assertOpen()
        const checked = parseTemplateRequest(request)
        begin(options)
        if (templates.has(checked.name)) {
          throw new PpoppoError('template_name_taken', `The double has a template "${checked.name}" already.`)
        }
        const template = { id: nextId(), name: checked.name, isActive: true, version: 1, createdAt: new Date() }
        templates.set(checked.name, template)
        known.remember(template.id, checked.components)
        return template
      },
    },
    polls: {
      async results(pollId, options) {
        begin(options)
        return countAnswers(pollId, pollOf(pollId))
      },
      async *responses(pollId, options) {
        begin(options)
        yield* pollOf(pollId).responses
      },
    },
    app: {
      async stats(options) {
        begin(options)
        return {
          id: 'testing',
          name: 'express-ppoppo/testing',
          tier: 'testing',
          isActive: true,
          rateLimitPerMin: 60,
          currentMonthUsage: sent.reduce((sum, { recipients }) => sum + recipients.length, 0),
          allowedIps: [],
          systemPpnum: '00000000000',
        }
      },
    },
    events(options) {
      assertOpen()
      return log.read(options)
    },
    consume(options) {
      assertOpen()
      return consumers.consume(options)
    },
    deadLetters: consumers.deadLetters,
    async health(options) {
      assertOpen()
      parseCallOptions(options).signal?.throwIfAborted()
      const error = failures.shift()
      return error
        ? { ok: false, channel: 'idle', hasToken: false, error }
        : { ok: true, channel: 'ready', hasToken: true }
    },
    async close() {
      isClosed = true
      const closed = new PpoppoError('closed', 'This Messaging double was closed.')
      log.close()
      await Promise.all([consumers.stopAll(), runs.end(closed)])
    },
    fail(code, { retryAfterMs, times = 1 } = {}) {
      if (!Object.hasOwn(ERROR_CATALOGUE, code)) {
        throw new PpoppoError('request_invalid', `fail: there is no error code "${String(code)}".`)
      }
      for (let count = 0; count < times; count += 1) failures.push(toFailure(code, retryAfterMs))
    },
    async emit(event) {
      assertOpen()
      const complete = {
        eventId: nextId(),
        sendRequestId: sent.at(-1)?.id ?? nextId(),
        occurredAt: new Date(),
        ...event,
      }
      log.add(complete)
      notify()
      await consumers.settled()
      return complete
    },
    setPoll: (pollId, poll) => void polls.set(parseId(pollId, 'pollId'), poll),
    reset() {
      sent.length = 0
      failures.length = 0
      polls.clear()
      known = createKnownTemplates()
      templates = new Map()
      log.clear()
      consumers.clear()
    },
  }

  function pollOf(pollId: string): PollDouble {
    const poll = polls.get(parseId(pollId, 'pollId'))
    if (!poll) throw new PpoppoError('not_found', `The double has no poll ${pollId}; call setPoll() first.`)
    return poll
  }
}

function toFailure(code: PpoppoErrorCode, retryAfterMs: number | undefined): PpoppoError {
  return new PpoppoError(code, `The double was set to fail with ${code}.`, {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
