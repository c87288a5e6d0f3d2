import { startChild } from './children.mjs'

/** The sandbox's accounts service in a process of its own, signing Alex in without asking. */
export async function startPas() {
  const child = await startChild('servers/pas.mjs', [])
  return {
    issuer: child.first.issuer,
    /** Sets switches of the sandbox. */
    set: (switches) => child.ask({ set: switches }),
    /** How often each endpoint was called. */
    counters: () => child.ask({ counters: true }),
    end: child.end,
  }
}
