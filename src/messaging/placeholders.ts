import { PpoppoError } from '../errors.js'
import type { Recipient, TemplateComponent } from './types.js'

/** `{{name}}`, `{{ name }}`, `{{address.zip}}`: as most pages of Ppoppo's documentation write them. */
const PLACEHOLDER = /\{\{\s*([\p{L}_][\p{L}\p{N}_-]*(?:\.[\p{L}\p{N}_-]+)*)\s*\}\}/gu
/** Remembering more templates than an app makes at its start would be a leak. */
const MOST_TEMPLATES = 1_000

/** The names of a text's placeholders. @returns `undefined` where braces are left that make none */
export function placeholdersOf(text: string): readonly string[] | undefined {
  const rest = text.replaceAll(PLACEHOLDER, '')
  if (rest.includes('{{') || rest.includes('}}')) return undefined
  return [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name)
}

/** What the templates that were created here ask of a send. Of others nothing is known, and nothing is checked. */
export interface KnownTemplates {
  remember(templateId: string, components: readonly TemplateComponent[]): void
  /** @throws `request_invalid` naming template, placeholder and the index of the recipient that lacks it */
  check(templateId: string, recipients: readonly Recipient[]): void
}

export function createKnownTemplates(): KnownTemplates {
  const byId = new Map<string, readonly string[]>()
  return {
    remember: (templateId, components) => {
      const texts = components.flatMap(({ type: _, ...members }) => Object.values(members).flat())
      const names = new Set(texts.flatMap((text) => (typeof text === 'string' ? (placeholdersOf(text) ?? []) : [])))
      const [oldest] = byId.keys()
      if (byId.size >= MOST_TEMPLATES && oldest !== undefined) byId.delete(oldest)
      byId.set(templateId, [...names])
    },
    check: (templateId, recipients) => {
      const names = byId.get(templateId) ?? []
      for (const [index, { vars }] of recipients.entries()) {
        const missing = names.find((name) => !isGiven(vars, name.split('.')))
        if (missing === undefined) continue
        throw new PpoppoError(
          'request_invalid',
          `"recipients[${index}].vars" lacks "${missing}": template ${templateId} has the placeholder {{${missing}}}.`,
        )
      }
    },
  }
}

/** By the whole path, or by a name that holds the dots itself. */
function isGiven(value: unknown, [name = '', ...rest]: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, [name, ...rest].join('.'))) return true
  if (!Object.hasOwn(value, name)) return false
  return rest.length === 0 || isGiven((value as Readonly<Record<string, unknown>>)[name], rest)
}
