/** A metric of `express-ppoppo/otel`. */
export interface Metric {
  /** How it counts. */
  readonly kind: 'counter' | 'histogram'
  /** UCUM. */
  readonly unit: string
  /** One line for people. */
  readonly description: string
}

/** Names of the counters. */
export type CounterName = 'ppoppo.sign_ins' | 'ppoppo.sign_outs' | 'ppoppo.challenges' | 'ppoppo.refreshes'
/** Names of the histograms. */
export type HistogramName = 'ppoppo.consumer.lag' | 'rpc.client.call.duration'

/** The metrics of `express-ppoppo/otel`, by name. */
export const METRICS: Readonly<Record<CounterName | HistogramName, Metric>> = {
  'ppoppo.sign_ins': { kind: 'counter', unit: '{sign_in}', description: 'Callbacks, by outcome' },
  'ppoppo.sign_outs': { kind: 'counter', unit: '{sign_in}', description: 'Sign-ins that ended, by reason' },
  'ppoppo.challenges': { kind: 'counter', unit: '{request}', description: 'Requests that did not pass a guard' },
  'ppoppo.refreshes': { kind: 'counter', unit: '{refresh}', description: 'Token refreshes, by outcome' },
  'ppoppo.consumer.lag': { kind: 'histogram', unit: 's', description: 'Age of delivery events when handled' },
  'rpc.client.call.duration': { kind: 'histogram', unit: 's', description: 'Calls to PCS, retries included' },
}
