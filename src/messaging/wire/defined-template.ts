import { PpoppoError } from '../../errors.js'
import { APP_DEADLINE_MS } from '../../lib/ask-app.js'
import { isPlainObject, isThenable } from '../../lib/guards.js'
import { TIMED_OUT, within } from '../../lib/wait.js'
import type { DefinedTemplate, SchemaResult, SchemaVars, StandardSchema } from '../types/template.js'
import { checkNames, invalid, parseId, record } from './validate.js'

/**
 * A template of this app and the schema of its vars. With `template` instead of `templateId`, `send()`, `sendMany()`,
 * `sendToUser()` and `campaigns.create()` know the type of `vars`, and check every recipient before anything is sent.
 *
 * @param options.id id of the template
 * @param options.vars any Standard Schema: Zod, Valibot, ArkType and others; it may be async
 * @throws `request_invalid` for anything else
 * @example
 * const shipped = defineTemplate({ id: 'tpl_01HQ...', vars: z.object({ order: z.string() }) })
 * await messaging.send({ template: shipped, recipients: [{ ppnum: '12312345678', vars: { order: '1234' } }] })
 */
export function defineTemplate<Vars>(options: {
  readonly id: string
  readonly vars: StandardSchema<Vars, SchemaVars>
}): DefinedTemplate<Vars> {
  const given = record(options, 'The template', 'defineTemplate({ id, vars: schema })')
  checkNames(given, ['id', 'vars'], '')
  parseId(given['id'], 'id')
  if (!isSchema(given['vars']))
    throw invalid('vars', 'must be a Standard Schema, such as one of Zod, Valibot or ArkType')
  return Object.freeze({ id: options.id, vars: options.vars })
}

/** Checks one recipient of a source; gives it the vars to send. */
export type CheckVars = (value: unknown, index: number) => unknown

/** A request as the methods know it, and the check of its recipients if it names a defined template. */
export interface PlainRequest {
  readonly request: unknown
  readonly checkVars?: CheckVars | undefined
}

/** @throws `request_invalid` if `template` is none, or `templateId` is there, too */
export function toPlainRequest(request: unknown): PlainRequest {
  if (!isPlainObject(request) || request['template'] === undefined) return { request }
  const { template, ...rest } = request
  if (rest['templateId'] !== undefined) throw invalid('templateId', 'is in "template" already; leave one of them out')
  if (!isPlainObject(template) || !isSchema(template['vars']))
    throw invalid('template', 'must be made by defineTemplate(); for an id alone use "templateId"')
  const templateId = parseId(template['id'], 'template.id')
  const schema = template['vars']
  return {
    request: { ...rest, templateId },
    checkVars: (value, index) => checkVars({ templateId, schema, value, index }),
  }
}

/** All recipients of one send, checked in order. */
export async function checkAllVars({ request, checkVars }: PlainRequest): Promise<unknown> {
  if (!checkVars || !isPlainObject(request) || !Array.isArray(request['recipients'])) return request
  const recipients: unknown[] = []
  for (const [index, value] of request['recipients'].entries()) recipients.push(await checkVars(value, index))
  return { ...request, recipients }
}

interface Checking {
  readonly templateId: string
  readonly schema: StandardSchema<unknown, object>
  readonly value: unknown
  readonly index: number
}

/** Whatever is no recipient is left to the check of recipients. */
function checkVars(checking: Checking): unknown {
  const { templateId, schema, value } = checking
  if (!isPlainObject(value)) return value
  let result: SchemaResult<object> | Promise<SchemaResult<object>>
  try {
    result = schema['~standard'].validate(value['vars'] ?? {})
  } catch (error) {
    throw schemaFailed(templateId, error)
  }
  return isThenable(result) ? checkLater(checking, result) : withVars(checking, result)
}

async function checkLater(checking: Checking, result: PromiseLike<SchemaResult<object>>): Promise<unknown> {
  const { templateId } = checking
  const answer = await within(Promise.resolve(result), APP_DEADLINE_MS).catch((error: unknown) => {
    throw schemaFailed(templateId, error)
  })
  if (answer !== TIMED_OUT) return withVars(checking, answer)
  const text = `The schema of the template ${templateId} took longer than ${APP_DEADLINE_MS / 1_000} s. Nothing was sent.`
  throw new PpoppoError('config_invalid', text)
}

/** Only paths: the words of a schema may quote the value. */
function withVars({ templateId, value, index }: Checking, { issues, ...result }: SchemaResult<object>): object {
  if (issues === undefined) {
    const { value: vars } = result as { readonly value: unknown }
    return { ...Object(value), vars: isPlainObject(vars) ? withoutUndefined(vars) : vars }
  }
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  const path = `recipients[${index}].vars${(first?.path ?? []).map(toStep).join('')}`
  throw invalid(path, `does not fit the schema of the template ${templateId}${more}`)
}

function toStep(step: PropertyKey | { readonly key: PropertyKey }): string {
  const key = typeof step === 'object' ? step.key : step
  if (typeof key === 'number') return `[${key}]`
  const name = String(key)
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function withoutUndefined(vars: Readonly<Record<string, unknown>>): object {
  const names = Object.keys(vars)
  if (names.every((name) => vars[name] !== undefined)) return vars
  return Object.fromEntries(Object.entries(vars).filter(([, value]) => value !== undefined))
}

function schemaFailed(templateId: string, error: unknown): PpoppoError {
  const what = error instanceof Error ? error.name : 'something that is not an Error'
  return new PpoppoError('config_invalid', `The schema of the template ${templateId} threw ${what}. Nothing was sent.`)
}

function isSchema(value: unknown): value is StandardSchema<unknown, object> {
  const isObject = (typeof value === 'object' || typeof value === 'function') && value !== null
  const standard: unknown = isObject ? Reflect.get(value, '~standard') : undefined
  return isPlainObject(standard) && standard['version'] === 1 && typeof standard['validate'] === 'function'
}
