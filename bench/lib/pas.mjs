import { startChild } from './children.mjs'

/**
 * The sandbox's accounts service in a process of its own.
 * @param {number} [people] how many there are, `person-0` and so on; without, Alex is signed in without being asked
 */
export async function startPas(people) {
  const child = await startChild('servers/pas.mjs', people === undefined ? [] : [`${people}`])
  return {
    issuer: child.first.issuer,
    /** Sets switches of the sandbox. */
    set: (switches) => child.ask({ set: switches }),
    /** How often each endpoint was called. */
    counters: () => child.ask({ counters: true }),
    end: child.end,
  }
}
