import { type ParseArgsConfig, parseArgs } from 'node:util'

/**
 * Like `parseArgs`, without its error: that repeats the arguments, and someone may have pasted a secret.
 * @returns `undefined` for wrong usage
 */
export function parseArguments<const Options extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Options,
): ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true }>> | undefined {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch {
    return undefined
  }
}

/** Says which of these environment variables is not set; `undefined` if all are. */
export function explainUnset(env: NodeJS.ProcessEnv, ...names: readonly string[]): string | undefined {
  const unset = names.find((name) => (env[name] ?? '').trim() === '')
  return unset && `${unset} is not set; run it with the environment of the app`
}
