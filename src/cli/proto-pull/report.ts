import type { Difference } from '../../messaging/pull/diff.js'
import type { PulledDescriptor } from '../../messaging/pull/pull.js'
import type { CliIo } from '../io.js'

/** Source and destination of a pulled descriptor. */
export interface PulledFrom {
  readonly url: string
  readonly out: string
}

/**
 * Prints the differences by group, and one line about what to do next.
 * @returns exit code: 0, or 1 if a difference matters
 */
export function printPulled(pulled: PulledDescriptor, { url, out }: PulledFrom, io: CliIo): number {
  const { differences, unusable } = pulled
  const print = (line: string): void => io.print(plain(line))
  print(`${url}: ${pulled.files} files by ${pulled.version}`)
  print(`${pulled.bytes.length.toLocaleString('en')} bytes written to ${out}`)
  for (const [group, members] of grouped(differences)) {
    print(`\n${group}`)
    for (const { severity, text } of members) print(`  ${severity === 'none' ? ' ' : '!'} ${text}`)
  }
  const matter = differences.filter(({ severity }) => severity !== 'none')
  if (differences.length > 0) {
    print(
      `\n${matter.length} matter (!), ${differences.length - matter.length} do not; "ours" is the definition in this package`,
    )
  }
  const option = `descriptor: '${optionPath(out)}'`
  if (matter.length === 0) {
    print(`\nNo difference matters: the client works as it is, and also with ${option}`)
    return 0
  }
  io.printError(plain(`express-ppoppo proto pull: ${verdict(matter, unusable, option)}`))
  return 1
}

function verdict(matter: readonly Difference[], unusable: PulledDescriptor['unusable'], option: string): string {
  const fix = `the built-in definition does not match this server; configure the client with the server's own: ${option}`
  if (unusable.length > 0) {
    const calls = unusable.map(({ method, why }) => `${method} (${why})`).join(', ')
    return `${fix}. Even so, these calls do not work until express-ppoppo supports them: ${calls}`
  }
  const doubtful = matter.filter(({ severity }) => severity === 'client').length
  if (doubtful === 0) return fix
  return `${fix}. It lacks parts that this version of express-ppoppo supports: see "missing" and changed types above before you use them`
}

function grouped(differences: readonly Difference[]): ReadonlyMap<string, readonly Difference[]> {
  const groups = new Map<string, Difference[]>()
  for (const difference of differences) {
    const group = groups.get(difference.group) ?? []
    groups.set(difference.group, group)
    group.push(difference)
  }
  return groups
}

/** The path as a module-style option in code. */
function optionPath(out: string): string {
  return /^(\.{0,2}\/|[A-Za-z]:)/.test(out) ? out : `./${out}`
}

/** Names come from a server, and a terminal would interpret control characters. */
function plain(line: string): string {
  return line.replace(/[^\P{Cc}\n]|\p{Cf}/gu, '?')
}
