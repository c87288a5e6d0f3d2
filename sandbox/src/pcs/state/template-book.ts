import { createUlid } from '../../lib/ulid.js'
import { GrpcError } from '../wire/grpc-error.js'

export type ComponentType = 'TEXT' | 'DIVIDER' | 'BUTTON' | 'POLL' | 'IMAGE'

/** One part of a template, by the wire's names. */
export interface Component {
  readonly component_type: ComponentType
  readonly content?: string
  readonly label?: string
  readonly url?: string
  readonly alt?: string
  readonly question?: string
  readonly options?: readonly string[]
}

export interface Template {
  readonly id: string
  readonly name: string
  readonly components: readonly Component[]
  readonly isActive: boolean
  readonly version: number
  readonly createdAt: string
}

const LIMIT = 10_000
const SEEDED_AT = '2026-01-01T00:00:00.000Z'
const seeded = { version: 1, createdAt: SEEDED_AT, isActive: true }

/** Templates that are there from the start. */
export const SEED_TEMPLATES: readonly Template[] = [
  {
    ...seeded,
    id: 'tpl_sandbox_welcome',
    name: 'Sandbox welcome',
    components: [{ component_type: 'TEXT', content: 'Hello {{name}}, good to have you here.' }],
  },
  {
    ...seeded,
    id: 'tpl_order_placed',
    name: 'Order placed',
    components: [{ component_type: 'TEXT', content: 'Your order {{number}} has been placed.' }],
  },
  {
    ...seeded,
    id: 'tpl_sandbox_poll',
    name: 'Sandbox poll',
    components: [
      { component_type: 'TEXT', content: 'One question, {{name}}.' },
      { component_type: 'POLL', question: 'What shall we have for lunch?', options: ['Bibimbap', 'Noodles', 'Pizza'] },
    ],
  },
  {
    ...seeded,
    id: 'tpl_sandbox_inactive',
    name: 'Sandbox inactive',
    isActive: false,
    components: [{ component_type: 'TEXT', content: 'Nobody gets this.' }],
  },
]

/** The templates of the one app there is. Names are unique. */
export class TemplateBook {
  readonly #byId = new Map<string, Template>(SEED_TEMPLATES.map((template) => [template.id, template]))

  create(name: string, components: readonly Component[]): Template {
    this.#assertRoomFor(name)
    const createdAt = new Date().toISOString()
    const template = { id: `tpl_${createUlid()}`, name, components, isActive: true, version: 1, createdAt }
    this.#byId.set(template.id, template)
    return template
  }

  /** One with an id of the caller's. @throws GrpcError as `create` does, and where the id is taken */
  add(template: Template): void {
    if (this.#byId.has(template.id))
      throw new GrpcError('ALREADY_EXISTS', `there is a template "${template.id}" already`)
    this.#assertRoomFor(template.name)
    this.#byId.set(template.id, template)
  }

  #assertRoomFor(name: string): void {
    if (this.all.some((template) => template.name === name)) {
      throw new GrpcError('ALREADY_EXISTS', `a template named "${name}" exists already`)
    }
    if (this.#byId.size >= LIMIT) throw new GrpcError('RESOURCE_EXHAUSTED', `no more than ${LIMIT} templates`)
  }

  /** Only a template that can be sent. */
  requireActive(id: string): Template {
    const template = this.find(id)
    if (template === undefined) throw new GrpcError('NOT_FOUND', `template "${id}" does not exist`)
    if (!template.isActive) throw new GrpcError('FAILED_PRECONDITION', `template "${id}" is inactive`)
    return template
  }

  find(id: string): Template | undefined {
    return this.#byId.get(id)
  }

  setActive(id: string, isActive: boolean): void {
    const template = this.find(id)
    if (template === undefined) throw new TypeError(`"${id}" is not a template`)
    this.#byId.set(id, { ...template, isActive })
  }

  get all(): readonly Template[] {
    return [...this.#byId.values()]
  }

  /** As it was at the start: the sandbox's own, and these. */
  reset(templates: readonly Template[]): void {
    this.#byId.clear()
    this.restore([...SEED_TEMPLATES, ...templates])
  }

  restore(templates: readonly Template[]): void {
    for (const template of templates) this.#byId.set(template.id, template)
  }
}
