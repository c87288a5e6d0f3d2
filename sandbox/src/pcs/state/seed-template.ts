import { isJsonObject, type JsonObject } from '../../lib/json.js'
import { GrpcError } from '../wire/grpc-error.js'
import { parseTemplate } from './parse-template.js'
import { SEED_TEMPLATES, type Template } from './template-book.js'

const MEMBERS = ['content', 'label', 'url', 'alt', 'question', 'options'] as const

/** A template of one's own, in the shape of the client's `templates.create`, under an id of one's own. */
export interface SeedTemplate {
  /** What a send names: `tpl_order_placed`. */
  readonly id: string
  readonly name: string
  readonly components: readonly SeedComponent[]
  /** @default true */
  readonly isActive?: boolean
}

/** `text` content; `divider`; `button` label, url; `image` url, alt; `poll` question, options. */
export interface SeedComponent {
  readonly type: 'text' | 'divider' | 'button' | 'image' | 'poll'
  readonly content?: string
  readonly label?: string
  readonly url?: string
  readonly alt?: string
  readonly question?: string
  readonly options?: readonly string[]
}

/** Checks a list of templates from a file or an option. @throws TypeError naming the entry and the field */
export function parseSeedTemplates(input: unknown): readonly Template[] {
  if (!Array.isArray(input) || input.length === 0) {
    throw new TypeError('templates must be a list of at least one template')
  }
  const templates = input.map((entry: unknown, index) => parseSeedTemplate(entry, `templates[${index}]`))
  for (const key of ['id', 'name'] as const) {
    const known = new Set(SEED_TEMPLATES.map((template) => template[key]))
    templates.forEach((template, index) => {
      if (known.has(template[key])) throw new TypeError(`templates[${index}].${key} must be unique`)
      known.add(template[key])
    })
  }
  return templates
}

/** Checks one. @throws TypeError naming the field */
export function parseSeedTemplate(input: unknown, path = 'template'): Template {
  const given = knownFields(input, ['id', 'name', 'components', 'isActive'], path)
  const { id, isActive = true } = given
  if (typeof id !== 'string' || !/^[\w-]{1,100}$/.test(id)) {
    throw new TypeError(`${path}.id must be 1 to 100 letters, digits, _ and -, such as "tpl_order_placed"`)
  }
  if (typeof isActive !== 'boolean') throw new TypeError(`${path}.isActive must be true or false`)
  const components: readonly unknown[] = Array.isArray(given['components']) ? given['components'] : []
  const onWire = components.map((component, index) => toWire(component, `${path}.components[${index}]`))
  const { name, components: parsed } = asTypeError(path, () =>
    parseTemplate({ name: given['name'], components: onWire }),
  )
  return { id, name, components: parsed, isActive, version: 1, createdAt: new Date().toISOString() }
}

function toWire(input: unknown, path: string): JsonObject {
  const { type, ...members } = knownFields(input, ['type', ...MEMBERS], path)
  return { component_type: typeof type === 'string' ? type.toUpperCase() : '', ...members }
}

function knownFields(input: unknown, known: readonly string[], path: string): JsonObject {
  if (!isJsonObject(input)) throw new TypeError(`${path} must be an object`)
  const stray = Object.keys(input).find((name) => !known.includes(name))
  if (stray !== undefined) throw new TypeError(`${path}.${stray} is not a known field; known are ${known.join(', ')}`)
  return input
}

/** What PCS refuses, as a mistake of whoever set the sandbox up. */
export function asTypeError<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error
    throw new TypeError(`${path}: ${error.message.replaceAll('component_type', 'type')}`)
  }
}
