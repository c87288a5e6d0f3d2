/** What a command uses besides its arguments. Tests pass their own. */
export interface CliIo {
  /** Writes a line to standard output. */
  print(line: string): void
  /** Writes a line to standard error. */
  printError(line: string): void
  /** On a terminal: writes a line over the one it wrote last. `undefined`: output is a file or a pipe. */
  readonly redraw?: ((line: string) => void) | undefined
  readonly env: NodeJS.ProcessEnv
  readonly now: () => Date
}

/** A command: `run` resolves to the exit code (0 done, 1 failed, 2 wrong usage; its help lists others). */
export interface Command {
  /** One line for `--help`. */
  readonly summary: string
  run(args: readonly string[], io: CliIo): Promise<number>
}

/** The I/O of this process. */
export const processIo: CliIo = {
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  ...(process.stdout.isTTY && {
    // A line that wraps could not be written over. Some terminals do not know their width, and say 0.
    redraw: (line: string) => process.stdout.write(`\r\x1b[K${line.slice(0, (process.stdout.columns || 80) - 1)}`),
  }),
  env: process.env,
  now: () => new Date(),
}
