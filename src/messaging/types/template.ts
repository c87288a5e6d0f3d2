/** The public types of templates whose vars have a schema. */
import type { SendRequest } from './send.js'
import type { SendManyRequest } from './send-many.js'

/**
 * A schema of any library that implements Standard Schema v1 (Zod, Valibot, ArkType, ...): what this library needs of it.
 * Source: standardschema.dev.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The schema's side of the contract. */
  readonly '~standard': {
    /** Version of the contract. */
    readonly version: 1
    /** Name of the schema's library. */
    readonly vendor: string
    /** Checks a value, and returns what to use instead of it, or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For types only. */
    readonly types?:
      | {
          /** What may be passed. */
          readonly input: Input
          /** What comes out. */
          readonly output: Output
        }
      | undefined
  }
}

/** What a schema says about a value. */
export type SchemaResult<Output> =
  | {
      /** The value to use. */
      readonly value: Output
      /** Absent: it fits. */
      readonly issues?: undefined
    }
  | {
      /** What is wrong. */
      readonly issues: readonly {
        /** In words, which may quote the value. */
        readonly message: string
        /** Where. */
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/** What a schema of vars may put out: what can be sent, and `undefined`, which is left out. */
export type SchemaVars = { readonly [name: string]: SchemaValue }

/** One value of {@link SchemaVars}. */
export type SchemaValue = string | number | boolean | null | undefined | readonly SchemaValue[] | SchemaVars

/** A template and the schema of its vars, made by `defineTemplate()`. */
export interface DefinedTemplate<Vars = unknown> {
  /** Id of a template of this app. */
  readonly id: string
  /** Checks the vars of each recipient. */
  readonly vars: StandardSchema<Vars, SchemaVars>
}

/** Somebody to send a {@link DefinedTemplate} to. */
export interface TemplateRecipient<Vars> {
  /** 11 digits or more, as on the wire. */
  readonly ppnum: string
  /** Values for the template's placeholders, as the schema takes them. */
  readonly vars: NoInfer<Vars>
}

/** `template` instead of `templateId` in a request. */
export interface OfTemplate<Vars> {
  /** Made by `defineTemplate()`. */
  readonly template: DefinedTemplate<Vars>
  /** It is in `template`. */
  readonly templateId?: never
}

/** A {@link SendRequest} whose vars are checked by a schema. */
export interface TemplateSendRequest<Vars = unknown>
  extends Omit<SendRequest, 'templateId' | 'recipients'>,
    OfTemplate<Vars> {
  /** Who gets the message. */
  readonly recipients: readonly TemplateRecipient<Vars>[]
}

/** A {@link SendManyRequest} whose vars are checked by a schema, one recipient after the other as they are read. */
export interface TemplateSendManyRequest<Vars = unknown>
  extends Omit<SendManyRequest, 'templateId' | 'recipients'>,
    OfTemplate<Vars> {
  /** Read lazily, only as far ahead as needed. */
  readonly recipients: Iterable<TemplateRecipient<Vars>> | AsyncIterable<TemplateRecipient<Vars>>
}
