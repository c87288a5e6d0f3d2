import { isJsonObject, type JsonObject } from '../../lib/json.js'
import type { Template } from './template-book.js'

/**
 * The text somebody gets. `{{name}}` is how most of Ppoppo's pages write a placeholder, `{name}` how one does; both are
 * filled, and a dot reaches into nested values. One without a value stays as it is, so that it is seen.
 */
export function renderTemplate(template: Template, vars: JsonObject): string {
  const lines = template.components.map((component) => {
    const texts = [component.content, component.label, component.url, component.alt, component.question]
    return [...texts, ...(component.options ?? [])].filter((text) => text !== undefined).join(' | ')
  })
  return lines.map((line) => fill(line, vars)).join('\n')
}

function fill(text: string, vars: JsonObject): string {
  return text.replace(/\{\{([^{}]+)\}\}|\{([^{}\s]+)\}/g, (original, double?: string, single?: string) => {
    const value = valueAt(vars, double?.trim() ?? single ?? '')
    if (value === undefined) return original
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

function valueAt(vars: JsonObject, path: string): unknown {
  let value: unknown = vars
  for (const name of path.split('.')) {
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return value
}
