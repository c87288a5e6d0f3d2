/**
 * Ppoppo's accounts service on your own machine, for development and tests. It is not for production: anyone who
 * can reach it can sign in as anyone. It implements the protocols; it knows nothing of any client library.
 */

export type { SandboxControl } from './control/control.js'
export type { Seed } from './control/seed.js'
export type { Endpoint } from './endpoints.js'
export type { Fault, FaultKind, FaultRule } from './faults/fault.js'
export type { PcsFault, PcsFaultKind, PcsFaultRule } from './pcs/faults/pcs-fault.js'
export type { ActiveStream, PcsControl } from './pcs/pcs-control.js'
export type { ReceivedRecipient, ReceivedSend, RenderedMessage } from './pcs/state/describe-send.js'
export type { EventType, PcsEvent } from './pcs/state/event-log.js'
export type { InboxMessage, InboxPoll, InboxQuery } from './pcs/state/inbox.js'
export type { Decision } from './pcs/state/progress.js'
export type { SeedMessage } from './pcs/state/seed-message.js'
export type { SeedComponent, SeedTemplate } from './pcs/state/seed-template.js'
export type { Component, Template } from './pcs/state/template-book.js'
export type { PcsCounters, PcsMethod } from './pcs/wire/methods.js'
export { type PcsAddress, type Sandbox, type SandboxOptions, startSandbox } from './start-sandbox.js'
export type { SandboxClient } from './state/clients.js'
export type { Counters } from './state/counters.js'
export type { IssuedToken } from './state/ledger.js'
export type { PcsSwitches } from './state/pcs-switches.js'
export { type Person, testPeople } from './state/people.js'
export type { Switches } from './state/switches.js'
