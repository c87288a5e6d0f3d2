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

/** Parses the value of `--timeout`, in seconds. @returns milliseconds; `undefined` for anything but more than 0, up to `most` */
export function parseSeconds(text: string, most: number): number | undefined {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
  return seconds > 0 && seconds <= most ? Math.ceil(seconds * 1_000) : undefined
}

/** Says which of these environment variables is not set; `undefined` if all are. */
export function explainUnset(env: NodeJS.ProcessEnv, ...names: readonly string[]): string | undefined {
  const unset = names.find((name) => (env[name] ?? '').trim() === '')
  return unset && `${unset} is not set; run it with the environment of the app`
}
