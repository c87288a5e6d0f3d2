/**
 * What kind of fault it is: of the password, TLS, a Cluster, the user's rights, a Redis that is too old, a server that is no
 * Redis; one that cannot be reached, or one that answers and refuses.
 */
export type RedisFaultKind = 'password' | 'tls' | 'cluster' | 'rights' | 'old' | 'stranger' | 'unreachable' | 'refuses'

/** What a fault of Redis means: the rest of a sentence that begins with the server, and what to do. */
export interface Verdict {
  readonly kind: RedisFaultKind
  readonly what: string
  readonly todo: string
  /** Waiting does not help: something is misconfigured, in the app or in Redis. */
  readonly isSetup: boolean
}

/** If there are several patterns, all must match. Not one pattern with `.*`: some texts would make that slow. */
type Row = readonly [pattern: RegExp | readonly RegExp[], what: string, todo: string, kind?: RedisFaultKind]

/** Somebody must change something. */
const SETUP: readonly Row[] = [
  [
    [/sentinel/i, /NOAUTH|WRONGPASS/i],
    'cannot be asked for: its Sentinels refuse the password',
    'Set "sentinelPassword" (and "sentinelUsername") on the ioredis client.',
    'password',
  ],
  [
    /NOAUTH/,
    'asks for a password, and none is configured',
    'Write it into the URL: redis://:password@host.',
    'password',
  ],
  [
    /WRONGPASS|invalid (username-)?password/,
    'refuses the user name or password',
    'Check the credentials you configured; a password alone is written redis://:password@host.',
    'password',
  ],
  [
    /DENIED|protected mode/i,
    'is in protected mode and takes connections of its own machine only',
    'Set a password for it, or "protected-mode no" where its network is closed.',
  ],
  [
    [/NOPERM/i, /'select/i],
    'does not let this user SELECT the database you configured',
    'Allow it +select, or use database 0 (no number at the end of the URL).',
    'rights',
  ],
  [
    /DB index is out of range/i,
    'has no database of the number you configured',
    'Use a smaller one, such as redis://host/0, or raise its "databases".',
  ],
  [
    /SELECT is not allowed in cluster mode|MOVED \d|CROSSSLOT|one node of a Cluster/i,
    'is one node of a Redis Cluster, and has a part of the keys only',
    'Pass an ioredis Cluster as "redis": new Cluster([{ host, port }]).',
    'cluster',
  ],
  [
    /cluster support disabled/i,
    'is not a Redis Cluster',
    'Pass a redis:// URL or new Redis(...) as "redis", not new Cluster(...).',
    'cluster',
  ],
  [
    /NOPERM|ACL failure in script|user executing the script can't|can't access at least one of the keys/i,
    'does not let this user do what we need',
    'Allow it EVAL, EVALSHA, GET, SET, SCAN, TIME, INFO and the commands of the scripts (+@read +@write +@scripting +@connection) on the keys under "keyPrefix".',
    'rights',
  ],
  [
    /unknown (redis )?command/i,
    'does not know a command we need',
    'Use Redis 6.2 or newer, with EVAL and EVALSHA enabled.',
    'old',
  ],
  [/syntax error/i, 'seems to be too old', 'Use Redis 6.2 or newer.', 'old'],
  [
    /WRONGTYPE/,
    'has a value of another kind under one of our keys',
    'Set another "keyPrefix": something else uses this one.',
  ],
  [/speaks TLS only/, 'speaks TLS, and we do not', 'Write rediss:// instead of redis://.', 'tls'],
  [
    /speaks no TLS|WRONG_VERSION_NUMBER|EPROTO|packet length too long/i,
    'does not speak TLS',
    'Write redis:// instead of rediss:// (or "tls" off), or use its TLS port.',
    'tls',
  ],
  [
    /ALTNAME_INVALID/,
    'shows a certificate for another name',
    'Use a host name that the certificate has, or set "tls.servername" on an ioredis client.',
    'tls',
  ],
  [
    /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    'shows a certificate that is not valid today',
    'Renew it; if it is good, check the clock of this machine.',
    'tls',
  ],
  [
    /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE)/,
    'asks for a certificate of ours',
    'Pass an ioredis client with "tls.cert" and "tls.key".',
    'tls',
  ],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|CERT_(UNTRUSTED|REJECTED|CHAIN)|INVALID_CA/,
    'shows a certificate that nothing here vouches for',
    'Name the file of its CA in NODE_EXTRA_CA_CERTS, or pass an ioredis client with "tls.ca".',
    'tls',
  ],
  [/ERR_SOCKET_BAD_PORT/, 'has a port that is none', 'Use one from 1 to 65535.'],
  [
    /reply type byte|Unknown RESP type/,
    'answers, but not as Redis does',
    'Check host and port: something else seems to listen there.',
    'stranger',
  ],
]

/** It may recover by itself. */
const PASSING: readonly Row[] = [
  [/OOM/, 'has reached "maxmemory"', 'Give it more memory, and set "maxmemory-policy noeviction".'],
  [/READONLY/, 'is a read-only replica', 'After a failover this heals by itself; else connect to the master.'],
  [
    /NOREPLICAS/,
    'takes no writes: fewer replicas than "min-replicas-to-write" follow it',
    'See its replicas and its log.',
  ],
  [/MISCONF/, 'takes no writes because it cannot save to its disk', 'See its log.'],
  [/LOADING/, 'is loading its data from disk', 'It will answer once that is done.'],
  [/MASTERDOWN/, 'is a replica that has lost its master', 'See "redis-cli info replication".'],
  [/BUSY/, 'is busy with a script of somebody', 'See "redis-cli info commandstats", or stop it by SCRIPT KILL.'],
  [/max number of clients/i, 'takes no more connections', 'Raise its "maxclients", or close what is not needed.'],
  [
    /CLUSTERDOWN/,
    'says that its Cluster is down: not all slots are served',
    'See "redis-cli --cluster check"; the user must be allowed +cluster.',
  ],
  [
    /All sentinels are unreachable/i,
    'cannot be asked for: no Sentinel answers, or none knows it',
    'Check "sentinels" and "name" of the ioredis client.',
    'unreachable',
  ],
  [
    /ENOTFOUND/,
    'has a name that nobody knows',
    'Check the host in the URL, and the DNS of this machine.',
    'unreachable',
  ],
  [/EAI_/, 'has a name that cannot be looked up now', 'Check the DNS of this machine.', 'unreachable'],
  [/ECONNREFUSED/, 'refuses connections', 'Check that it is up, and that its address is right.', 'unreachable'],
  [
    /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|connect ETIMEDOUT/,
    'cannot be reached',
    'Check host, port, network and firewall; by rediss://, whether that port speaks TLS.',
    'unreachable',
  ],
  [
    /ENOENT|EACCES/,
    'has a socket that cannot be opened',
    'Check the path, and the rights of this user.',
    'unreachable',
  ],
  [
    /ECONNRESET|EPIPE|Connection is closed|before secure TLS/,
    'closes our connections',
    'Check its log; if that is a port for TLS, write rediss://.',
    'unreachable',
  ],
]

/** For a Redis that does not answer, or answers something we do not know. */
export const SILENT: Verdict = {
  kind: 'unreachable',
  what: 'does not answer, or not in time',
  todo: 'Check that it is up and reachable from here.',
  isSetup: false,
}

/** @param text code and message of the fault */
export function judge(text: string): Verdict {
  for (const [rows, isSetup] of [
    [SETUP, true],
    [PASSING, false],
  ] as const) {
    const found = rows.find(([patterns]) => [patterns].flat().every((pattern) => pattern.test(text)))
    if (found !== undefined) return { what: found[1], todo: found[2], kind: found[3] ?? 'refuses', isSetup }
  }
  return SILENT
}
