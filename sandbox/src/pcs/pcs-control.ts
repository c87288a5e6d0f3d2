import { statusOf } from './faults/fault-fields.js'
import { parsePcsFaultRule } from './faults/parse-pcs-fault.js'
import type { PcsFaultRule } from './faults/pcs-fault.js'
import type { PcsServer } from './server/pcs-server.js'
import { describeSend, type ReceivedSend, type RenderedMessage, renderedMessages } from './state/describe-send.js'
import type { PcsEvent } from './state/event-log.js'
import { type InboxMessage, type InboxQuery, inboxOf } from './state/inbox.js'
import { parseTemplate } from './state/parse-template.js'
import type { PcsState } from './state/pcs-state.js'
import { recordAnswer } from './state/poll-progress.js'
import { type Decision, decideOne, launch } from './state/progress.js'
import { parseSeedMessage, type SeedMessage } from './state/seed-message.js'
import { asTypeError, parseSeedTemplate, type SeedTemplate } from './state/seed-template.js'
import type { Component, Template } from './state/template-book.js'
import { GrpcError } from './wire/grpc-error.js'
import { createPcsCounters, type PcsCounters, type PcsMethod } from './wire/methods.js'

/** A stream that a client reads. */
export interface ActiveStream {
  readonly openedAt: string
  readonly sendRequestId?: string
  readonly afterEventId?: string
  readonly sent: number
}

/** Shows and controls the running messaging service. */
export interface PcsControl {
  /** Makes the next calls fail. @throws TypeError listing what is possible */
  inject(rule: PcsFaultRule): void
  /** Faults that have not happened yet. */
  readonly pendingFaults: readonly PcsFaultRule[]
  clearFaults(method?: PcsMethod): void
  /** A snapshot, which does not change. */
  readonly counters: Readonly<PcsCounters>
  /** Send requests as they were received, oldest first, with what became of each recipient. */
  readonly sends: readonly ReceivedSend[]
  /** Messages that were delivered, with their placeholders filled. */
  readonly messages: readonly RenderedMessage[]
  /** The event log, oldest first. */
  readonly events: readonly PcsEvent[]
  readonly templates: readonly Template[]
  /** Streams open now. */
  readonly activeStreams: readonly ActiveStream[]
  /** TCP connections open now. */
  readonly connections: number
  /** Adds a template without a call. @throws Error as `CreateTemplate` refuses it */
  addTemplate(template: { readonly name: string; readonly components: readonly Component[] }): Template
  /** Adds one under an id of your own, in the shape of `templates.create`. @throws TypeError naming the field */
  seedTemplate(template: SeedTemplate): Template
  setTemplateActive(templateId: string, isActive: boolean): void
  /** Somebody answers a poll now. @throws TypeError for a poll or an option that is not there */
  answerPoll(pollId: string, ppnum: string, option: string): void
  /** What was sent, message by message, newest first, with the state of each. */
  inbox(query?: InboxQuery): readonly InboxMessage[]
  /** Decides about one message now, as the inbox page's buttons do. @throws TypeError where there is nothing to decide */
  decide(sendRequestId: string, ppnum: string, decision: Decision): void
  /** Calls back after each change of what was sent, until the returned function is called. */
  onChange(listener: () => void): () => void
  /** As if an app had sent these. @throws TypeError naming the entry and the field, before anything is sent */
  seedMessages(messages: readonly SeedMessage[]): void
  /** Ends all open streams: cleanly, or with a status. */
  endStreams(status?: { readonly code: number | string; readonly details?: string }): void
  /** Every token given out so far is refused from now on. */
  expireTokens(): void
  /** The oldest events are gone, as after a retention period: cursors at them are lost. */
  forgetOldestEvents(count: number): void
  setHealth(status: 'SERVING' | 'NOT_SERVING'): void
  /** Resets every connection. */
  dropConnections(): void
  /** Closes the server, stays away for a while, and opens it again on the same port with all it knew. */
  restart(options?: { readonly downMs?: number }): Promise<void>
  /** Forgets faults and counters, and begins a new minute for the rate limit. Sends and templates stay. */
  reset(): void
  /** Forgets all that was sent, and templates that were added since the start. Open streams and tokens stay. */
  startOver(): void
}

export interface PcsControlParts {
  readonly state: PcsState
  /** The server of now: a restart opens another. */
  readonly server: () => PcsServer
  readonly restart: PcsControl['restart']
  /** Templates that `startOver` keeps besides the sandbox's own. */
  readonly ownTemplates: readonly Template[]
}

export function createPcsControl({ state, server, restart, ownTemplates }: PcsControlParts): PcsControl {
  const { faults, counters, sends, events, templates, streams, connections, polls } = state
  return {
    inject: (rule) => faults.add(parsePcsFaultRule(rule)),
    get pendingFaults() {
      return faults.pending
    },
    clearFaults: (method) => faults.clear(method),
    get counters() {
      return { ...counters }
    },
    get sends() {
      return sends.all.map((send) => describeSend(state, send))
    },
    get messages() {
      return renderedMessages(state)
    },
    get events() {
      return events.all
    },
    get templates() {
      return templates.all
    },
    get activeStreams() {
      return [...streams].map(({ openedAt, sent, request: { position: _position, ...asked } }) => {
        return { openedAt, sent, ...asked }
      })
    },
    get connections() {
      return connections.count
    },
    addTemplate: (template) => {
      const { name, components } = parseTemplate(template)
      return templates.create(name, components)
    },
    seedTemplate: (given) => {
      const template = parseSeedTemplate(given)
      asTypeError('template', () => templates.add(template))
      state.changed()
      return template
    },
    setTemplateActive: (templateId, isActive) => templates.setActive(templateId, isActive),
    answerPoll: (pollId, ppnum, option) => {
      const poll = polls.find(pollId)
      if (poll === undefined) throw new TypeError(`"${pollId}" is not a poll`)
      if (!poll.options.includes(option)) throw new TypeError(`"option" must be one of ${poll.options.join(', ')}`)
      recordAnswer(state, poll, ppnum, option)
    },
    inbox: (query) => inboxOf(state, query),
    decide: (sendRequestId, ppnum, decision) => {
      const send = sends.find(sendRequestId)
      if (send === undefined) throw new TypeError(`"${sendRequestId}" is not a send request`)
      decideOne(state, send, ppnum, decision)
    },
    onChange: (listener) => state.onChange(listener),
    seedMessages: (messages) => {
      const inputs = messages.map((message, index) => parseSeedMessage(message, `messages[${index}]`))
      inputs.forEach(({ templateId }, index) => {
        asTypeError(`messages[${index}]`, () => templates.requireActive(templateId))
      })
      for (const input of inputs) launch(state, sends.accept(input, false, undefined))
    },
    endStreams: (status) => {
      const error = status && new GrpcError(statusOf(status.code) ?? 2, status.details ?? 'ended by the control')
      for (const stream of [...streams]) stream.end(error)
    },
    expireTokens: () => state.ledger.expireExternalTokens(),
    forgetOldestEvents: (count) => events.forgetOldest(count),
    setHealth: (status) => server().setHealth(status),
    dropConnections: () => connections.resetAll(),
    restart,
    reset: () => {
      faults.clear()
      Object.assign(counters, createPcsCounters())
      state.account.forgetCalls()
    },
    startOver: () => {
      state.schedule.clear()
      sends.clear()
      polls.clear()
      events.forgetOldest(events.end - events.start)
      templates.reset(ownTemplates)
      state.account.restore('', 0)
      state.changed()
    },
  }
}
