import { examineConfig } from '../config/config.js'
import type { FaultEntry } from '../config/environment-variables.js'
import type { Config, PpoppoOptions } from '../config/options.js'

/** What is examined: a configuration, which may have faults, and the environment it came from. */
export interface DoctorSetup {
  readonly config: Config
  readonly faults: readonly FaultEntry[]
  readonly env: NodeJS.ProcessEnv
}

/** Reads options and environment as `ppoppo()` does, but keeps what is wrong with them. */
export function readSetup(options: PpoppoOptions, env: NodeJS.ProcessEnv): DoctorSetup {
  const { config, faults } = examineConfig(options, env)
  return { config, faults: faults.entries, env }
}

/** Whether none of these options has a fault, so that what was made of them can be used. */
export function isUsable({ faults }: Pick<DoctorSetup, 'faults'>, options: readonly string[]): boolean {
  return !faults.some(({ option }) => options.some((name) => option === name || option.startsWith(`${name}.`)))
}
