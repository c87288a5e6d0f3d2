import type { PcsState } from './pcs-state.js'
import type { Poll } from './poll-book.js'
import type { SendRequest } from './send-book.js'

/** A poll is there from the moment its request is accepted, without answers. */
export function openPoll(state: PcsState, send: SendRequest): void {
  const component = state.templates.find(send.templateId)?.components.find((part) => part.component_type === 'POLL')
  if (component !== undefined) state.polls.open(send.id, component.question ?? '', component.options ?? [])
}

/** A recipient has received the poll. Numbers that end in 9 never answer; the others do, after a while. */
export function queueAnswer(state: PcsState, send: SendRequest, ppnum: string): void {
  const poll = state.polls.find(send.id)
  if (poll === undefined || ppnum.endsWith('9')) return
  poll.waiting.push(ppnum)
  if (poll.waiting.length === 1) beginAnswers(state, poll)
}

/** Answers trickle in: at each step one, or a twentieth of those still waiting. */
export function beginAnswers(state: PcsState, poll: Poll): void {
  if (poll.waiting.length === 0) return
  state.schedule.later(state.switches.pcsPollAnswerMs, () => {
    if (state.switches.pcsHold) return beginAnswers(state, poll)
    const share = Math.ceil(poll.waiting.length / 20)
    for (const ppnum of poll.waiting.splice(0, share)) recordAnswer(state, poll, ppnum, optionFor(poll, ppnum))
    beginAnswers(state, poll)
  })
}

export function recordAnswer(state: PcsState, poll: Poll, ppnum: string, option: string): void {
  // Whoever has answered is no longer expected to.
  poll.waiting = poll.waiting.filter((waiting) => waiting !== ppnum)
  poll.answers.push({ ppnum, option, respondedAt: new Date().toISOString() })
  state.events.append({
    send_request_id: poll.sendRequestId,
    event_type: 'POLL_RESPONSE_RECEIVED',
    recipient: { ppnum },
  })
  state.changed()
}

/** Always the same for one number, and spread unevenly, so that a chart looks real. */
function optionFor(poll: Poll, ppnum: string): string {
  const share = ((Number(ppnum.slice(-4)) * 37) % 100) / 100
  return poll.options[Math.floor(share * share * poll.options.length)] ?? ''
}
