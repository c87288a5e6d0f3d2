import cluster from 'node:cluster'
import type { Config } from './options.js'

/**
 * Whether this process is one of several of the same app, as far as it can be known from inside: then a store in its
 * memory is not enough. pm2 says how many it runs; its cluster mode with one process is no fault.
 */
export function oneOfSeveral(env: NodeJS.ProcessEnv): Pick<Config, 'oneOfSeveral'> {
  const why = howKnown(env)
  return why === undefined ? {} : { oneOfSeveral: why }
}

function howKnown(env: NodeJS.ProcessEnv): string | undefined {
  const { pm_id: isOfPm2, instances } = env
  if (isOfPm2 !== undefined && instances === '1') return undefined
  if (isOfPm2 !== undefined && instances !== undefined) return 'pm2 runs several of it'
  // Counted from 0.
  if (Number(env['NODE_APP_INSTANCE']) > 0) return 'NODE_APP_INSTANCE says that it is not the first of its kind'
  if (cluster.isWorker) return 'it is a worker of node:cluster, which may have others'
  if ('PhusionPassenger' in globalThis) return 'Passenger starts and ends processes as it needs them'
  return undefined
}
