/** What a command may touch besides its arguments: tests pass their own. */
export interface CliIo {
  /** A line to standard output. */
  print(line: string): void
  /** A line to standard error. */
  printError(line: string): void
  readonly env: NodeJS.ProcessEnv
  readonly now: () => Date
}

/** A command: `run` resolves to the exit code (0 done, 1 failed, 2 called wrongly; others as its help says). */
export interface Command {
  /** One line for `--help`. */
  readonly summary: string
  run(args: readonly string[], io: CliIo): Promise<number>
}

/** The process as it is. */
export const processIo: CliIo = {
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  now: () => new Date(),
}
