import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { certificateFiles, TEST_CERTIFICATE } from './certificate.js'
import { findFreePort, type RedisServer, startRedis } from './redis.js'
import { untilWorks } from './until.js'

/** Several servers that act as one. */
export interface RedisGroup {
  readonly ports: readonly number[]
  readonly servers: readonly RedisServer[]
  stop(): Promise<void>
}

const SLOTS = 16_384
/** Servers that had no processor for a second are not to be taken for dead ones: only {@link failOverSoon} makes them so quick. */
const CALM_MS = 15_000

/** How servers are to be reached. */
export interface Access {
  readonly password?: string
  /** Only by TLS, with the test's certificate. */
  readonly tls?: boolean
}

/** What ioredis needs to reach servers that were started with this. */
export function accessOptions({ password, tls = false }: Access): { password?: string; tls?: { ca: string } } {
  return {
    ...(password === undefined || password === '' ? {} : { password }),
    ...(tls ? { tls: { ca: TEST_CERTIFICATE } } : {}),
  }
}

/**
 * A Redis Cluster of three masters, or as many as asked for, and one replica of the first where asked for. `servers` are
 * in this order.
 */
export async function startCluster({
  withReplica = false,
  masters = 3,
  ...access
}: { readonly withReplica?: boolean; readonly masters?: number } & Access = {}): Promise<RedisGroup> {
  const count = masters + (withReplica ? 1 : 0)
  const fixed = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-replica-validity-factor', '0']
  const files = access.tls ? certificateFiles() : undefined
  const servers = await startAll(count, async () => {
    const port = await findFreePort()
    return startRedis({ port, args: [...fixed, ...accessArguments(access, port, files)] })
  })
  const clients = servers.map(({ port }) => new Redis(port, '127.0.0.1', accessOptions(access)))
  try {
    const [first, ...rest] = clients
    if (first === undefined) throw new Error('no server')
    for (const [i, client] of clients.slice(0, masters).entries()) {
      const [first, end] = [Math.ceil((i * SLOTS) / masters), Math.ceil(((i + 1) * SLOTS) / masters)]
      const slots = Array.from({ length: end - first }, (_, n) => String(first + n)) // Redis 6.2 has no ADDSLOTSRANGE
      await client.call('CLUSTER', 'ADDSLOTS', ...slots)
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    }
    for (const { options } of rest) await first.call('CLUSTER', 'MEET', '127.0.0.1', String(options.port))
    await untilWorks(async () => (await nodesKnownBy(clients)).every((known) => known === count))
    if (withReplica) {
      const id = String(await first.call('CLUSTER', 'MYID'))
      await untilWorks(async () => (await clients[masters]?.call('CLUSTER', 'REPLICATE', id)) === 'OK')
      await untilWorks(
        async () => (await clients[masters]?.info('replication'))?.includes('master_link_status:up') === true,
      )
    }
    await untilWorks(async () => {
      const states = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')))
      return states.every((state) => String(state).includes('cluster_state:ok'))
    })
    // Not from the beginning: nodes find each other, and take up work, in a time that goes by this one.
    for (const client of clients) await client.config('SET', 'cluster-node-timeout', CALM_MS)
  } finally {
    for (const client of clients) client.disconnect()
  }
  const group = toGroup(servers)
  return {
    ...group,
    async stop() {
      await group.stop()
      files?.remove()
    },
  }
}

function accessArguments(
  { password }: Access,
  port: number,
  files: ReturnType<typeof certificateFiles> | undefined,
): readonly string[] {
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  if (files === undefined) return secret
  const { certificate, key } = files
  return [
    ...secret,
    ...['--port', '0', '--tls-port', String(port), '--tls-cluster', 'yes', '--tls-replication', 'yes'],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
    ...['--tls-auth-clients', 'no'],
  ]
}

/** An app's client of a cluster, ready, with options that the library must not inherit. */
export async function connectCluster({ ports }: RedisGroup): Promise<Cluster> {
  const cluster = new Cluster(
    ports.map((port) => ({ host: '127.0.0.1', port })),
    { keyPrefix: 'app:', redisOptions: { keyPrefix: 'app:' }, enableAutoPipelining: true, scaleReads: 'slave' },
  )
  cluster.on('error', () => {})
  await untilWorks(async () => cluster.status === 'ready')
  return cluster
}

/** From now on a server of a cluster, or a master that Sentinel watches, that is silent for so long is replaced. */
export async function failOverSoon({ servers, ports }: RedisGroup, master?: string): Promise<void> {
  for (const port of master === undefined ? servers.map((server) => server.port) : ports) {
    const client = new Redis(port, '127.0.0.1')
    if (master === undefined) await client.config('SET', 'cluster-node-timeout', 1_000)
    else await client.call('SENTINEL', 'SET', master, 'down-after-milliseconds', '500')
    client.disconnect()
  }
}

/** Until these servers of a cluster serve all slots, and each says the same of who has which. */
export async function untilAgreed(servers: readonly RedisServer[]): Promise<void> {
  const clients = servers.map(({ port }) => new Redis(port, '127.0.0.1'))
  try {
    await untilWorks(async () => {
      const states = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')))
      const owners = await Promise.all(clients.map(ownersBy))
      return states.every((state) => String(state).includes('cluster_state:ok')) && new Set(owners).size === 1
    })
  } finally {
    for (const client of clients) client.disconnect()
  }
}

/** The first slot of each range, and the port of its master, as one server sees it. */
async function ownersBy(client: Redis): Promise<string> {
  const ranges = await client.call('CLUSTER', 'SLOTS')
  if (!Array.isArray(ranges)) throw new TypeError('CLUSTER SLOTS answers a list')
  return ranges
    .map(([first, last, master]: [number, number, [string, number]]) => `${first}-${last}@${master[1]}`)
    .sort()
    .join()
}

/** A master, a replica, and a Sentinel that watches them as `name`. `servers` are in this order; `ports` is the Sentinel's. */
export async function startSentinel(
  name: string,
  { password = '' }: Pick<Access, 'password'> = {},
): Promise<RedisGroup> {
  const secret = password === '' ? [] : ['--requirepass', password, '--masterauth', password]
  const master = await startRedis({ args: secret })
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(master.port), ...secret] })
  const folder = await mkdtemp(join(tmpdir(), 'ppoppo-sentinel-'))
  const file = join(folder, 'sentinel.conf') // Sentinel writes into it
  writeFileSync(
    file,
    [
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} ${CALM_MS}`,
      `sentinel failover-timeout ${name} 3000`,
      ...(password === '' ? [] : [`sentinel auth-pass ${name} "${password}"`, `requirepass "${password}"`]),
    ].join('\n'),
  )
  const sentinel = await startRedis({ args: [file, '--sentinel'] })
  const client = new Redis(sentinel.port, '127.0.0.1', accessOptions({ password }))
  try {
    await untilWorks(async () => {
      const replicas = await client.call('SENTINEL', 'REPLICAS', name)
      return Array.isArray(replicas) && String(replicas).includes('master-link-status,ok')
    })
  } finally {
    client.disconnect()
  }
  const group = toGroup([master, replica, sentinel])
  return {
    ...group,
    ports: [sentinel.port],
    async stop() {
      await group.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startAll(count: number, start: () => Promise<RedisServer>): Promise<RedisServer[]> {
  const servers: RedisServer[] = []
  for (let i = 0; i < count; i++) servers.push(await start())
  return servers
}

async function nodesKnownBy(clients: readonly Redis[]): Promise<number[]> {
  const lists = await Promise.all(clients.map((client) => client.call('CLUSTER', 'NODES')))
  return lists.map(
    (list) =>
      String(list)
        .split('\n')
        .filter((line) => line.includes(' connected')).length,
  )
}

function toGroup(servers: readonly RedisServer[]): RedisGroup {
  return {
    servers,
    ports: servers.map(({ port }) => port),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}
