import type { DescriptorModel } from './model.js'

/** Numbers of fields by their path; `undefined` for one that is not there. */
export type FieldNumbers<Path extends string> = { readonly [path in Path]: number | undefined }

/**
 * The numbers that a descriptor gives to fields, for reading and writing without proto-loader.
 * @param type full name of a message
 * @example numbersOf(model, 'chat.external.SendRequestEvent', ['event_id', 'recipient', 'recipient.ppnum'])
 */
export function numbersOf<Path extends string>(
  model: DescriptorModel,
  type: string,
  paths: readonly Path[],
): FieldNumbers<Path> {
  return Object.fromEntries(paths.map((path) => [path, numberAt(model, type, path.split('.'))])) as FieldNumbers<Path>
}

function numberAt(model: DescriptorModel, type: string, [name = '', ...rest]: readonly string[]): number | undefined {
  const field = model.messages.get(type)?.get(name)
  return field && rest.length > 0 ? numberAt(model, field.type, rest) : field?.number
}
