import { PpoppoError } from '../../errors.js'
import type { Recipient, TemplateComponent, TemplateVars } from '../types/calls.js'

/** A name goes on with marks of letters (Thai, Hindi, what macOS decomposes) and what joins them (UAX 31), too. */
const NAME = '[\\p{L}_][\\p{L}\\p{M}\\p{N}\\u200c\\u200d_-]*(?:\\.[\\p{L}\\p{M}\\p{N}\\u200c\\u200d_-]+)*'
/** `{{name}}`, `{{ name }}`, `{{address.zip}}`: as most pages of Ppoppo's documentation write them. */
const PLACEHOLDER = new RegExp(`\\{\\{(\\s*)(${NAME})(\\s*)\\}\\}`, 'gu')
/** Remembering more templates than an app makes at its start would be a leak. */
const MAX_TEMPLATES = 1_000

/** The names of a text's placeholders, in NFC. @returns `undefined` where braces are left that make none */
export function placeholdersOf(text: string): readonly string[] | undefined {
  const rest = fillPlaceholders(text, '')
  if (rest.includes('{{') || rest.includes('}}')) return undefined
  return [...text.matchAll(PLACEHOLDER)].map(([, , name = '']) => name.normalize('NFC'))
}

/** The text with each placeholder replaced. */
export function fillPlaceholders(text: string, value: string): string {
  return text.replaceAll(PLACEHOLDER, () => value)
}

/** The text with the names of its placeholders in NFC: one name, however it was typed. */
export function withNormalNames(text: string): string {
  return text.replaceAll(
    PLACEHOLDER,
    (_, before: string, name: string, after: string) => `{{${before}${name.normalize('NFC')}${after}}}`,
  )
}

/**
 * What the templates that were created here ask of a send. Of others nothing is known; but whoever created them with this
 * library did so with names in NFC.
 */
export interface KnownTemplates {
  remember(templateId: string, components: readonly TemplateComponent[]): void
  /**
   * @returns the recipients, with the names of their vars as the template spells them
   * @throws `request_invalid` naming template, placeholder and the index of the recipient that lacks it
   */
  check(templateId: string, recipients: readonly Recipient[]): readonly Recipient[]
}

export function createKnownTemplates(): KnownTemplates {
  const byId = new Map<string, readonly string[]>()
  return {
    remember: (templateId, components) => {
      const texts = components.flatMap(({ type: _, ...members }) => Object.values(members).flat())
      const names = new Set(texts.flatMap((text) => (typeof text === 'string' ? (placeholdersOf(text) ?? []) : [])))
      const [oldest] = byId.keys()
      if (byId.size >= MAX_TEMPLATES && oldest !== undefined) byId.delete(oldest)
      byId.set(templateId, [...names])
    },
    check: (templateId, recipients) => {
      const names = byId.get(templateId) ?? []
      return recipients.map((recipient, index) => {
        const vars = recipient.vars && withNormalKeys(recipient.vars, `recipients[${index}].vars`)
        const missing = names.find((name) => !isGiven(vars, name.split('.')))
        if (missing === undefined) return vars === recipient.vars || !vars ? recipient : { ...recipient, vars }
        throw new PpoppoError(
          'request_invalid',
          `"recipients[${index}].vars" lacks "${missing}": template ${templateId} has the placeholder {{${missing}}}.`,
        )
      })
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

/** The same vars where all names are in NFC already, as nearly all are. @throws `request_invalid` for one name twice */
function withNormalKeys(vars: TemplateVars, path: string): TemplateVars {
  const entries = Object.entries(vars).map(([name, value]) => {
    const inner = isVars(value) ? withNormalKeys(value, path) : value
    return [name.normalize('NFC'), inner, name] as const
  })
  if (entries.every(([normal, inner, name]) => normal === name && inner === vars[name])) return vars
  const byName = new Map(entries.map(([name, inner]) => [name, inner]))
  if (byName.size === entries.length) return Object.fromEntries(byName)
  throw new PpoppoError('request_invalid', `"${path}" has a name twice, typed in two ways (Unicode NFC and NFD).`)
}

function isVars(value: TemplateVars[string] | undefined): value is TemplateVars {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
