import { PpoppoError } from '../../errors.js'
import type { Recipient, TemplateComponent, TemplateVars } from '../types/methods.js'

/** After its first character a name may also contain combining marks (Thai, Hindi, macOS) and joiners (UAX 31). */
const NAME = '[\\p{L}_][\\p{L}\\p{M}\\p{N}\\u200c\\u200d_-]*(?:\\.[\\p{L}\\p{M}\\p{N}\\u200c\\u200d_-]+)*'
/** `{{name}}`, `{{ name }}`, `{{address.zip}}`: as in Ppoppo's documentation. */
const PLACEHOLDER = new RegExp(`\\{\\{(\\s*)(${NAME})(\\s*)\\}\\}`, 'gu')
/** Bounds the memory: an app creates fewer templates than this when it starts. */
const MAX_TEMPLATES = 1_000

/** The names of a text's placeholders, in NFC. @returns `undefined` if there are braces that form no placeholder */
export function placeholdersOf(text: string): readonly string[] | undefined {
  const rest = fillPlaceholders(text, '')
  if (rest.includes('{{') || rest.includes('}}')) return undefined
  return [...text.matchAll(PLACEHOLDER)].map(([, , name = '']) => name.normalize('NFC'))
}

/** The text with each placeholder replaced. */
export function fillPlaceholders(text: string, value: string): string {
  return text.replaceAll(PLACEHOLDER, () => value)
}

/** The text with the names of its placeholders in NFC, so that a name is the same however it was typed. */
export function withNormalNames(text: string): string {
  return text.replaceAll(
    PLACEHOLDER,
    (_, before: string, name: string, after: string) => `{{${before}${name.normalize('NFC')}${after}}}`,
  )
}

/**
 * The placeholders of the templates created by this process. Nothing is known about other templates, except that those
 * created with this library have names in NFC.
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
      const paths = (byId.get(templateId) ?? []).map((name) => name.split('.'))
      return recipients.map((recipient, index) => {
        const vars = recipient.vars && withNormalKeys(recipient.vars, `recipients[${index}].vars`)
        const missing = paths.find((path) => !isGiven(vars, path))?.join('.')
        if (missing === undefined) return vars === recipient.vars || !vars ? recipient : { ...recipient, vars }
        throw new PpoppoError(
          'request_invalid',
          `"recipients[${index}].vars" lacks "${missing}": template ${templateId} has the placeholder {{${missing}}}.`,
        )
      })
    },
  }
}

/** Whether `vars` have a placeholder's value: by its path, or by a name that contains the dots itself. */
function isGiven(value: unknown, [name = '', ...rest]: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Object.hasOwn(value, [name, ...rest].join('.'))) return true
  if (!Object.hasOwn(value, name)) return false
  return rest.length === 0 || isGiven((value as Readonly<Record<string, unknown>>)[name], rest)
}

/** Vars with names in NFC; the same object if they already are, as usual. @throws `request_invalid` for a duplicate name */
function withNormalKeys(vars: TemplateVars, path: string): TemplateVars {
  return hasNormalKeys(vars) ? vars : toNormalKeys(vars, path)
}

function hasNormalKeys(vars: TemplateVars): boolean {
  for (const name of Object.keys(vars)) {
    const value = vars[name]
    if (!isNormal(name) || (isVars(value) && !hasNormalKeys(value))) return false
  }
  return true
}

/** Nearly all names are ASCII, and asking `normalize` takes ten times as long. */
function isNormal(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) > 0x7f) return name.normalize('NFC') === name
  }
  return true
}

function toNormalKeys(vars: TemplateVars, path: string): TemplateVars {
  const entries = Object.entries(vars).map(([name, value]) => {
    const inner = isVars(value) ? withNormalKeys(value, path) : value
    return [name.normalize('NFC'), inner, name] as const
  })
  const byName = new Map(entries.map(([name, inner]) => [name, inner]))
  if (byName.size === entries.length) return Object.fromEntries(byName)
  throw new PpoppoError('request_invalid', `"${path}" has a name twice, typed in two ways (Unicode NFC and NFD).`)
}

function isVars(value: TemplateVars[string] | undefined): value is TemplateVars {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
