import { parseArgs } from 'node:util'

/**
 * Reads options that take numbers, and prints the usage where it is asked for or broken.
 * @param {(values: Record<string, string | undefined>) => T} toOptions
 * @returns {T | number} the options, or the exit code where there is nothing to do
 * @template T
 */
export function parseOptions(args, usage, names, toOptions) {
  try {
    const texts = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
    const { values } = parseArgs({ args, options: { ...texts, help: { type: 'boolean', short: 'h' } } })
    if (!values.help) return toOptions(values)
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`)
    return 2
  }
}

/** @throws Error saying what the option takes */
export function numberOption(values, name, byDefault, [least, most]) {
  const text = values[name]
  if (text === undefined) return byDefault
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw new Error(`--${name}: a whole number from ${least} to ${most}`)
}
