import cluster from 'node:cluster'
import type { Config } from './options.js'

/**
 * Whether this process is one of several of the same app, as far as it can tell: then a store in memory is not enough. pm2
 * announces the number of instances; its cluster mode with a single instance is fine.
 */
export function oneOfSeveral(env: NodeJS.ProcessEnv): Pick<Config, 'oneOfSeveral'> {
  const why = evidence(env)
  return why === undefined ? {} : { oneOfSeveral: why }
}

function evidence(env: NodeJS.ProcessEnv): string | undefined {
  const { pm_id: isOfPm2, instances } = env
  if (isOfPm2 !== undefined && instances === '1') return undefined
  if (isOfPm2 !== undefined && instances !== undefined) return 'pm2 runs several instances of the app'
  // Counted from 0.
  if (Number(env['NODE_APP_INSTANCE']) > 0) return 'NODE_APP_INSTANCE shows that it is not the first instance'
  if (cluster.isWorker) return 'it is a worker of node:cluster, and there may be others'
  if ('PhusionPassenger' in globalThis) return 'Passenger starts and stops processes as needed'
  return undefined
}
