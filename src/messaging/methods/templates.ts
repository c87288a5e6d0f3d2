import { PpoppoError } from '../../errors.js'
import type { Caller } from '../call/caller.js'
import type { Messaging, TemplateRequest } from '../types/calls.js'
import { fromTemplate, hasComponentType, toTemplateRequest } from '../wire/convert.js'
import type { KnownTemplates } from '../wire/placeholders.js'
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

function assertTypes({ components }: TemplateRequest, names: readonly string[]): void {
  const unknown = components.find(({ type }) => !hasComponentType(type, names))
  if (unknown === undefined) return
  throw new PpoppoError('config_invalid', `"descriptor" has no TemplateComponentType for "${unknown.type}".`)
}
