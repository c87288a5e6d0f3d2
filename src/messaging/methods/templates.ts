import { PpoppoError } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import type { Messaging, Template, TemplateComponentType, TemplateRequest } from '../types/methods.js'
import { dated, toNumber, toText, type Wire } from '../wire/convert.js'
import type { KnownTemplates } from '../wire/placeholders.js'
import { isValueNamed } from '../wire/rpcs.js'
import { parseTemplateRequest } from '../wire/validate-template.js'

/** What {@link createTemplates} is made of. */
export interface TemplatesParts {
  readonly caller: Caller
  /** Remembers what was created, so that `send` can check `vars`. */
  readonly known: KnownTemplates
}

/** Creates templates. Not retried if the outcome is unknown: a second call may find its own name taken. */
export function createTemplates({ caller, known }: TemplatesParts): Messaging['templates'] {
  return {
    async create(request, options) {
      caller.assertUsable()
      const checked = parseTemplateRequest(request)
      const wire = await caller.unary(
        'createTemplate',
        (method, { templateComponentTypes }) => {
          assertTypes(checked, templateComponentTypes)
          return method.serialize(toTemplateRequest(checked, templateComponentTypes))
        },
        { operation: 'templates.create', kind: 'write' },
        options,
      )
      const template = fromTemplate(wire)
      known.remember(template.id, checked.components)
      return template
    },
  }
}

/** An unknown type would be sent as 0. */
function assertTypes({ components }: TemplateRequest, names: readonly string[]): void {
  const unknown = components.find(({ type }) => toComponentType(type, names) === undefined)
  if (unknown === undefined) return
  throw new PpoppoError('config_invalid', `"descriptor" has no TemplateComponentType for "${unknown.type}".`)
}

/** @param names value names of the component types in the descriptor; some are prefixed with the enum's name */
function toTemplateRequest(request: TemplateRequest, names: readonly string[]): object {
  return {
    name: request.name,
    components: request.components.map(({ type, ...members }) => ({
      component_type: toComponentType(type, names),
      ...members,
    })),
  }
}

function toComponentType(type: TemplateComponentType, names: readonly string[]): string | undefined {
  const wanted = type.toUpperCase()
  return names.find((name) => isValueNamed(name, wanted))
}

function fromTemplate(wire: Wire): Template {
  return {
    id: toText(wire['id']),
    name: toText(wire['name']),
    isActive: wire['is_active'] === true,
    version: toNumber(wire['version']),
    ...dated('createdAt', wire['created_at']),
  }
}
