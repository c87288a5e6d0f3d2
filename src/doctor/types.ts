import type { FindingCode, FindingLevel } from './catalogue.js'

/** One thing that was checked. Holds no secret, no token, and no URL with its query. */
export interface Finding {
  /** Stable, e.g. `'redis_evicts'`. A check that passed has its own name here; one that could not run ends in `_not_checked`. */
  readonly code: FindingCode
  /** Whether there is something to do. */
  readonly level: FindingLevel
  /** What was found, in one line. */
  readonly what: string
  /** How that is known, or what it leads to. Empty if `what` says it all. */
  readonly why: string
  /** What to do. Empty if there is nothing to do. */
  readonly fix: string
  /** The page about this code, in the package. */
  readonly docsUrl: string
}

/** What `auth.diagnose()` and `npx express-ppoppo doctor --json` return. */
export interface Diagnosis {
  /** The worst level of all findings. */
  readonly level: FindingLevel
  /** Everything that was checked, in the order in which it should be fixed. */
  readonly findings: readonly Finding[]
}

/** Options of `auth.diagnose()`. */
export interface DiagnoseOptions {
  /** How long each check may take, in milliseconds. @default 5,000 */
  readonly timeoutMs?: number
}
