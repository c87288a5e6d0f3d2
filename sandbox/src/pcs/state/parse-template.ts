import { isJsonObject, type JsonObject } from '../../lib/json.js'
import { GrpcError } from '../wire/grpc-error.js'
import type { Component, ComponentType } from './template-book.js'

const NAME_LENGTH = 100
const COMPONENTS = 20
const OPTIONS = 10

/** The required fields of each type. */
const NEEDS: { readonly [T in ComponentType]: readonly ('content' | 'label' | 'url' | 'question')[] } = {
  TEXT: ['content'],
  DIVIDER: [],
  BUTTON: ['label', 'url'],
  POLL: ['question'],
  IMAGE: ['url'],
}

/** Checks a `CreateTemplateReq`; the limits are this sandbox's, since none is published. */
export function parseTemplate(request: unknown): { readonly name: string; readonly components: readonly Component[] } {
  const { name, components } = isJsonObject(request) ? request : {}
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_LENGTH) {
    throw invalid(`name must be a text of 1 to ${NAME_LENGTH} characters`)
  }
  const list: readonly unknown[] = Array.isArray(components) ? components : []
  if (list.length === 0 || list.length > COMPONENTS) throw invalid(`components must be 1 to ${COMPONENTS}`)
  const parsed = list.map((component, index) => parseComponent(component, `components[${index}]`))
  if (parsed.filter((component) => component.component_type === 'POLL').length > 1) {
    throw invalid('components must hold no more than one POLL')
  }
  return { name, components: parsed }
}

function parseComponent(input: unknown, path: string): Component {
  const component = isJsonObject(input) ? input : {}
  const type = component['component_type']
  if (!isComponentType(type)) throw invalid(`${path}.component_type must be one of ${Object.keys(NEEDS).join(', ')}`)
  for (const field of NEEDS[type]) {
    if (textIn(component, field) === '') throw invalid(`${path}.${field} is missing: a ${type} needs it`)
  }
  const url = textIn(component, 'url')
  if (url !== '' && !isWebAddress(url)) throw invalid(`${path}.url must be an absolute http or https address`)
  const options = optionsIn(component, type, path)
  const texts = ['content', 'label', 'url', 'alt', 'question'] as const
  const given = texts.filter((field) => textIn(component, field) !== '')
  return {
    component_type: type,
    ...Object.fromEntries(given.map((field) => [field, textIn(component, field)])),
    ...(options.length > 0 && { options }),
  }
}

function optionsIn(component: JsonObject, type: ComponentType, path: string): readonly string[] {
  const { options } = component
  const texts = Array.isArray(options) ? options.map(String) : []
  if (type !== 'POLL') return texts
  if (texts.length < 2 || texts.length > OPTIONS || texts.some((text) => text.trim() === '')) {
    throw invalid(`${path}.options must be 2 to ${OPTIONS} texts`)
  }
  if (new Set(texts).size < texts.length) throw invalid(`${path}.options must differ`)
  return texts
}

function isComponentType(value: unknown): value is ComponentType {
  return typeof value === 'string' && Object.hasOwn(NEEDS, value)
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function invalid(details: string): GrpcError {
  return new GrpcError('INVALID_ARGUMENT', details)
}
