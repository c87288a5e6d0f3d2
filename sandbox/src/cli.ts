#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { type Command, parseCommandLine } from './cli/options.js'
import { bannerFor, HELP } from './cli/texts.js'
import { UsageError } from './cli/usage-error.js'
import { errorCodeOf } from './lib/error-code.js'
import { isJsonObject } from './lib/json.js'
import { type Sandbox, startSandbox } from './start-sandbox.js'

/** Runs the command; the exit code is 2 for wrong input and 1 for a sandbox that could not start. */
async function main(args: readonly string[]): Promise<void> {
  try {
    await run(parseCommandLine(args))
  } catch (error) {
    // Options that only the sandbox itself can judge (e.g. a person's key) arrive as TypeErrors.
    const isUsage = error instanceof UsageError || error instanceof TypeError
    process.stderr.write(`ppoppo-sandbox: ${messageOf(error, flagValue('--pas-port', args) ?? '3100')}\n`)
    process.exitCode = isUsage ? 2 : 1
  }
}

async function run(command: Command): Promise<void> {
  if (command.kind === 'help') process.stdout.write(HELP)
  else if (command.kind === 'version') process.stdout.write(`${readVersion()}\n`)
  else {
    const sandbox = await startSandbox(command.options)
    for (const fault of command.faults) sandbox.control.inject(fault)
    for (const fault of command.pcsFaults) sandbox.control.pcs.inject(fault)
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

function flagValue(flag: string, args: readonly string[]): string | undefined {
  const given = args.find((arg, index) => args[index - 1] === flag || arg.startsWith(`${flag}=`))
  return given?.replace(`${flag}=`, '')
}

function messageOf(error: unknown, pasPort: string): string {
  const code = errorCodeOf(error)
  const port = isJsonObject(error) ? String(error['port']) : ''
  const flag = port === pasPort ? '--pas-port' : '--pcs-port'
  if (code === 'EADDRINUSE') return `port ${port} is in use; stop what runs there, or choose another with ${flag}`
  if (code === 'EACCES') return `port ${port} is not allowed for you; choose one above 1023 with ${flag}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address; check --host'
  return error instanceof Error ? error.message : String(error)
}

await main(process.argv.slice(2))
