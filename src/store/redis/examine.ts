import type { Redis } from 'ioredis'

/**
 * Checks that a new connection leads to the right place. ioredis stays in database 0 if it may not SELECT the
 * configured one, and mistakes a node of a Cluster for a whole Redis.
 * @throws what is wrong, as Redis reports it or in words that `judge` knows
 */
export async function examine(client: Redis): Promise<void> {
  const { db, sentinels } = client.options
  // ioredis has selected it already, but does not report whether that worked.
  const selected = Number(db) > 0 ? client.select(Number(db)) : undefined
  // Behind Sentinel ioredis itself asks, to check that it is a master.
  const [info] = await Promise.all([sentinels ? '' : infoOf(client), selected])
  if (/^loading:1/m.test(info)) throw new Error('LOADING Redis is loading the dataset in memory')
  if (/^cluster_enabled:1/m.test(info) && (await sizeOfCluster(client)) > 1) {
    throw new Error('this is one node of a Cluster')
  }
}

/** Empty if the user may not ask: then a fault shows up in the calls. */
function infoOf(client: Redis): Promise<string> {
  return client.info().catch((error: unknown) => {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return ''
    throw error
  })
}

/** How many masters have slots. If it is only one, that node has all keys, so a plain client works. */
async function sizeOfCluster(client: Redis): Promise<number> {
  const info = await client.cluster('INFO').catch(() => '')
  return Number(/^cluster_size:(\d+)/m.exec(String(info))?.[1] ?? 0)
}
