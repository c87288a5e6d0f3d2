/** The public types of one send. */

/** Plain data for the placeholders of a template: what a protobuf `Struct` can hold. */
export type TemplateVars = { readonly [name: string]: TemplateValue }

/** One value of {@link TemplateVars}. `Date`, functions, `undefined`, `NaN` and cycles are rejected with the path of the value. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | TemplateVars

/** Somebody to send to. */
export interface Recipient {
  /** 11 digits or more, as on the wire. */
  readonly ppnum: string
  /** Values for the template's placeholders. @default none */
  readonly vars?: TemplateVars
}

/** Settings of the poll in a template. */
export interface PollConfig {
  /** How long the poll accepts answers, in hours. @default the template's own setting */
  readonly expiresInHours?: number
  /** Whether a person may choose more than one option. @default false */
  readonly allowMultiple?: boolean
}

/** One send to 1 to 1,000 recipients, counted after duplicates are dropped (by ppnum; the first one wins). */
export interface SendRequest {
  /** Id of a template of this app. */
  readonly templateId: string
  /** Who gets the message, each with their own `vars`. */
  readonly recipients: readonly Recipient[]
  /** Only for a template that contains a poll. */
  readonly poll?: PollConfig
}

/** State of a send. `unknown` is a state that this version of the library does not know. */
export type SendStatusValue = 'queued' | 'processing' | 'completed' | 'failed' | 'unknown'

/** The server accepted the send. What happens to each recipient is reported by `status()` and `events()`. */
export interface SendReceipt {
  /** Id of the send: pass it to `status()`, `waitFor()` or `events()`. */
  readonly id: string
  /** Its state when it was accepted. */
  readonly status: SendStatusValue
  /** Number of recipients that the server accepted. */
  readonly totalRecipients: number
}
