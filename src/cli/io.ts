/** What a command uses besides its arguments. Tests pass their own. */
export interface CliIo {
  /** Writes a line to standard output. */
  print(line: string): void
  /** Writes a line to standard error. */
  printError(line: string): void
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
  env: process.env,
  now: () => new Date(),
}
