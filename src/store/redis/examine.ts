import type { Redis } from 'ioredis'

/**
 * Whether a new connection leads where it should. ioredis goes on in database 0 where it may not SELECT the one that was
 * configured, and takes a node of a Cluster for all of it.
 * @throws what is wrong, as Redis says it or in words that `judge` knows
 */
export async function examine(client: Redis): Promise<void> {
  const { db, sentinels } = client.options
  // ioredis has selected it already, and tells nobody whether that worked.
  const selected = Number(db) > 0 ? client.select(Number(db)) : undefined
  // Behind Sentinel ioredis asks by itself, to see whether it is a master.
  const [info] = await Promise.all([sentinels ? '' : infoOf(client), selected])
  if (/^loading:1/m.test(info)) throw new Error('LOADING Redis is loading the dataset in memory')
  if (/^cluster_enabled:1/m.test(info) && (await sizeOfCluster(client)) > 1) {
    throw new Error('this is one node of a Cluster')
  }
}

/** Nothing where the user may not ask: then what is wrong shows in the calls. */
function infoOf(client: Redis): Promise<string> {
  return client.info().catch((error: unknown) => {
    if (error instanceof Error && /NOPERM|unknown command/i.test(error.message)) return ''
    throw error
  })
}

/** How many masters have keys. A Cluster of one has all of them, and needs no more of us. */
async function sizeOfCluster(client: Redis): Promise<number> {
  const info = await client.cluster('INFO').catch(() => '')
  return Number(/^cluster_size:(\d+)/m.exec(String(info))?.[1] ?? 0)
}
