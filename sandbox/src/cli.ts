#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { type Command, parseCommandLine } from './cli/options.js'
import { bannerFor, HELP } from './cli/texts.js'
import { UsageError } from './cli/usage-error.js'
import { errorCodeOf } from './lib/error-code.js'
import { type Sandbox, startSandbox } from './start-sandbox.js'

/** Runs the command; the exit code is 2 for wrong input and 1 for a sandbox that could not start. */
async function main(args: readonly string[]): Promise<void> {
  try {
    await run(parseCommandLine(args))
  } catch (error) {
    // Options that only the sandbox itself can judge (e.g. a person's key) arrive as TypeErrors.
    const isUsage = error instanceof UsageError || error instanceof TypeError
    process.stderr.write(`ppoppo-sandbox: ${messageOf(error, args)}\n`)
    process.exitCode = isUsage ? 2 : 1
  }
}

async function run(command: Command): Promise<void> {
  if (command.kind === 'help') process.stdout.write(HELP)
  else if (command.kind === 'version') process.stdout.write(`${readVersion()}\n`)
  else {
    const sandbox = await startSandbox(command.options)
    for (const fault of command.faults) sandbox.control.inject(fault)
    stopOnSignal(sandbox)
    process.stdout.write(bannerFor(sandbox))
  }
}

/** The first signal closes cleanly and the process ends by itself; a second one ends it at once, as usual. */
function stopOnSignal(sandbox: Sandbox): void {
  const stop = (): void => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
    void sandbox.close()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
}

function readVersion(): string {
  const manifest: { version?: unknown } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return String(manifest.version)
}

function messageOf(error: unknown, args: readonly string[]): string {
  const code = errorCodeOf(error)
  const port = args.find((_arg, index) => args[index - 1] === '--pas-port') ?? '3100'
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what runs there, or choose another with --pas-port`
  if (code === 'EACCES') return `port ${port} is not allowed for you; choose one above 1023 with --pas-port`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address; check --host'
  return error instanceof Error ? error.message : String(error)
}

await main(process.argv.slice(2))
