import type { CliIo } from '../io.js'
import { toDiff } from './change.js'
import type { Plan } from './plan.js'

/** Prints what was found, what will change, and what is left to the user. */
export function printPlan(plan: Plan, { print }: Pick<CliIo, 'print'>): void {
  const { changes, manual, warnings } = plan
  print(describe(plan))
  for (const warning of warnings) print(`\nWarning: ${warning}`)
  for (const change of changes) print(`\n${toDiff(change).join('\n')}`)
  if (changes.length === 0 && manual === undefined)
    print('\nNothing to do: Sign in with Ppoppo is mounted, and .env is complete.')
  if (manual === undefined) return
  print(`\nTo do by hand in ${manual.file}, since ${manual.why}:`)
  for (const line of manual.lines) print(`+ ${line}`)
}

/** `shop: Express 5, TypeScript, ES modules, npm; the app is in src/app.ts, with express-session`. */
function describe({ project, entry }: Plan): string {
  const { name, express, isNest, isTypeScript, manager, hasSession, hasPassport } = project
  const language = isTypeScript ? 'TypeScript' : 'JavaScript'
  const modules =
    (entry?.style === 'require' || (isTypeScript && !project.isModule)) && !/\.m[jt]s$/.test(entry?.file ?? '')
      ? 'CommonJS'
      : 'ES modules'
  const parts = [...(hasSession ? ['express-session'] : []), ...(hasPassport ? ['Passport'] : [])]
  const beside = parts.length > 0 ? `, with ${parts.join(' and ')}` : ''
  return `${name}: ${isNest ? 'NestJS on ' : ''}Express ${express}, ${language}, ${modules}, ${manager}; the app is in ${entry?.file}${beside}`
}

/** The same for programs. Secrets are left out. */
export function toJson(plan: Plan, isApplied: boolean): object {
  const { project, entry, changes, manual, warnings, next } = plan
  const { name, manager, isTypeScript, isModule, express, isNest, hasSession, hasPassport } = project
  return {
    project: { name, manager, isTypeScript, isModule, express, isNest, hasSession, hasPassport, entry: entry?.file },
    applied: isApplied,
    changes: changes.map((change) => ({
      file: change.file,
      isNew: change.before === undefined,
      diff: toDiff(change).slice(1),
    })),
    ...(manual === undefined ? {} : { manual }),
    warnings,
    next,
  }
}
