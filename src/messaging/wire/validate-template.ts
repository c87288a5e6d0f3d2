import type { TemplateComponent, TemplateComponentType, TemplateRequest } from '../types/methods.js'
import { placeholdersOf, withNormalNames } from './placeholders.js'
import { faultOfUrl } from './template-url.js'
import { checkNames, checkRequestNames, invalid, record } from './validate.js'

type Member = Exclude<keyof TemplateComponent, 'type'>

/** Which members belong to which type; a `?` is optional. */
const MEMBERS: Readonly<Record<TemplateComponentType, readonly (Member | `${Member}?`)[]>> = {
  text: ['content'],
  divider: [],
  button: ['label', 'url'],
  image: ['url', 'alt?'],
  poll: ['question', 'options'],
}
const TYPES = Object.keys(MEMBERS) as TemplateComponentType[]

/** Checks a template before it is encoded. @throws `request_invalid` with the path, e.g. `components[2].url` */
export function parseTemplateRequest(request: unknown): TemplateRequest {
  const given = record(request, 'The request', 'templates.create({ name, components: [{ type, content }] })')
  checkRequestNames(given, ['name', 'components'], 'templates.create')
  const { name, components } = given
  if (typeof name !== 'string' || name.trim() === '' || /\p{Cc}/u.test(name) || !name.isWellFormed()) {
    throw invalid('name', 'must be a string of one line')
  }
  if (!Array.isArray(components) || components.length === 0) {
    throw invalid('components', `must be a list of at least one component (${TYPES.join(', ')})`)
  }
  return {
    name,
    components: components.map((component: unknown, index) => parseComponent(component, `components[${index}]`)),
  }
}

function parseComponent(component: unknown, path: string): TemplateComponent {
  const given = record(component, path, "{ type: 'text', content }")
  const type = TYPES.find((known) => known === given['type'])
  if (type === undefined) throw invalid(`${path}.type`, `must be one of ${TYPES.join(', ')}`)
  const members = MEMBERS[type].map((member) => member.replace('?', '') as Member)
  checkNames(given, ['type', ...members], `${path}.`)
  for (const member of MEMBERS[type]) {
    const name = member.replace('?', '')
    if (member.endsWith('?') && given[name] === undefined) continue
    checkMember(given[name], name, `${path}.${name}`)
  }
  const present = members.filter((member) => given[member] !== undefined)
  return { type, ...Object.fromEntries(present.map((member) => [member, normalized(given[member])])) }
}

/** Strings with the names of their placeholders in NFC. */
function normalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalized)
  return typeof value === 'string' ? withNormalNames(value) : value
}

function checkMember(value: unknown, name: string, path: string): void {
  if (name === 'options') return checkOptions(value, path)
  checkText(value, path)
  const fault = name === 'url' ? faultOfUrl(value) : undefined
  if (fault !== undefined) throw invalid(path, fault)
}

function checkOptions(value: unknown, path: string): void {
  if (!Array.isArray(value) || value.length < 2) throw invalid(path, 'must be a list of two or more strings')
  value.forEach((option: unknown, index) => {
    checkText(option, `${path}[${index}]`)
    if (value.indexOf(option) !== index) throw invalid(`${path}[${index}]`, 'occurs twice')
  })
}

function checkText(value: unknown, path: string): asserts value is string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'must be a non-empty string')
  if (!value.isWellFormed()) throw invalid(path, 'contains half a character (an unpaired surrogate)')
  if (placeholdersOf(value) === undefined) {
    throw invalid(path, 'has braces that form no placeholder; write {{name}} with letters, digits, _ and - only')
  }
}
