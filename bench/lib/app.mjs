import { startChild } from './children.mjs'

/** Starts an app of `apps/` in a process of its own. @param {string} kind name of its file */
export async function startApp(kind, options, profile) {
  const child = await startChild('apps/run-app.mjs', [kind, JSON.stringify(options)], profile)
  return {
    url: `http://localhost:${child.first.port}`,
    /** CPU time in microseconds; RSS and heap in bytes after a collection; how many of each kind are open, and listeners. */
    measure: () => child.ask('measure'),
    errors: child.errors,
    end: child.end,
  }
}
