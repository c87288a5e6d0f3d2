import { readFileSync } from 'node:fs'
import { nearest } from '../lib/nearest.js'
import { keygen } from './commands/keygen.js'
import type { CliIo, Command } from './io.js'

/**
 * The commands by name. A command that needs more than Node loads its modules when it runs, so that `keygen` works before
 * anything is configured.
 */
export const COMMANDS: Readonly<Record<string, Command>> = {
  keygen: { summary: 'create a session secret and a vault key', run: keygen },
  campaigns: {
    summary: 'show, pause, resume or cancel campaigns',
    run: async (args, io) => (await import('./commands/campaigns.js')).campaigns(args, io),
  },
  doctor: {
    summary: 'check the setup, and say what to do about each fault',
    run: async (args, io) => (await import('./commands/doctor.js')).doctor(args, io),
  },
  init: {
    summary: 'add Sign in with Ppoppo to the Express app in this folder',
    run: async (args, io) => (await import('./commands/init.js')).init(args, io),
  },
  proto: {
    summary: "fetch the server's definition of the Messaging API: proto pull <url>",
    run: async (args, io) => (await import('./commands/proto-pull.js')).protoPull(args, io),
  },
  rewrap: {
    summary: 're-encrypt all sign-ins with the first vault key',
    run: async (args, io) => (await import('./commands/rewrap.js')).rewrap(args, io),
  },
  sandbox: {
    summary: 'start accounts and messaging on this machine, for development',
    run: async (args) => (await import('./commands/sandbox.js')).sandbox(args),
  },
}

/**
 * Runs one command line.
 *
 * @param args without `node` and the script, e.g. `['keygen', '--id', 'k2']`
 * @returns exit code: 0 done, 1 failed, 2 wrong usage
 */
export async function run(
  args: readonly string[],
  io: CliIo,
  commands: Readonly<Record<string, Command>> = COMMANDS,
): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.print(helpText(commands))
    return 0
  }
  if (name === '--version' || name === '-v') {
    io.print(readVersion())
    return 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    io.printError(unknownCommand(name, Object.keys(commands)))
    return 2
  }
  try {
    return await command.run(rest, io)
  } catch (error) {
    io.printError(`express-ppoppo ${name}: ${error instanceof Error ? error.message : 'failed'}`)
    return 1
  }
}

function unknownCommand(name: string, known: readonly string[]): string {
  const meant = nearest(name, known)
  const hint = meant === undefined ? `known are: ${known.join(', ')}` : `did you mean "${meant}"?`
  const shown = /^[\w:-]{1,30}$/.test(name) ? `"${name}"` : 'that'
  return `express-ppoppo: ${shown} is not a command; ${hint}`
}

function helpText(commands: Readonly<Record<string, Command>>): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}   ${summary}`)
  return `Usage: express-ppoppo <command> [options]\n\nCommands:\n${lines.join('\n')}\n\nOptions:\n  --help, -h      this help, or after a command its own\n  --version, -v   print the version`
}

/** From package.json, which is two folders up from both `src/cli` and `dist/cli`. */
function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const manifest: unknown = JSON.parse(text)
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion ? String(manifest.version) : 'unknown'
}
