/** The public shapes of one send. */

/** Plain data for the placeholders of a template: what a protobuf `Struct` can hold. */
export type TemplateVars = { readonly [name: string]: TemplateValue }
/** `Date`, functions, `undefined`, `NaN` and cycles are refused with the path of the value. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | TemplateVars

/** Someone to send to. */
export interface Recipient {
  /** 11 digits or more, as on the wire. */
  readonly ppnum: string
  readonly vars?: TemplateVars
}

/** For templates with a poll. */
export interface PollConfig {
  /** @default what the template says */
  readonly expiresInHours?: number
  /** @default false */
  readonly allowMultiple?: boolean
}

/** One send: 1 to 1,000 recipients after duplicates (by ppnum, the first wins) are dropped. */
export interface SendRequest {
  readonly templateId: string
  readonly recipients: readonly Recipient[]
  readonly poll?: PollConfig
}

export type SendStatusValue = 'queued' | 'processing' | 'completed' | 'failed' | 'unknown'

/** The server has accepted the send; what becomes of it for each recipient is told by status and events. */
export interface SendReceipt {
  readonly id: string
  readonly status: SendStatusValue
  readonly totalRecipients: number
}
