import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { REDIS_SCRIPTS } from '../../src/store/redis/scripts.js'
import { sha1 } from './script-keys.js'

/** A TCP proxy to Redis that notes in which round trip each command leaves. */
export interface RedisSteps {
  readonly url: string
  /** Forgets what was sent so far. */
  begin(): void
  /** The commands since then by round trip: what leaves before an answer has come is one step. Scripts by their names. */
  steps(): readonly (readonly string[])[]
  close(): Promise<void>
}

const SCRIPTS = new Map(
  Object.entries(REDIS_SCRIPTS).flatMap(([name, { lua }]) => [
    [sha1(lua), name],
    [lua, name],
  ]),
)

/** @param port of a Redis on 127.0.0.1 */
export async function startRedisSteps(port: number): Promise<RedisSteps> {
  const sockets = new Set<Socket>()
  let steps: string[][] = []
  let answered = 0
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    const sent: { readonly steps: string[][]; readonly step: number }[] = []
    let unread: Buffer = Buffer.alloc(0)
    near.on('data', (data) => {
      const { commands, rest } = parseCommands(Buffer.concat([unread, data]))
      unread = rest
      for (const args of commands) {
        steps[answered] = [...(steps[answered] ?? []), nameOf(args)]
        sent.push({ steps, step: answered + 1 })
      }
      far.write(data)
    })
    far.on('data', (data) => {
      // Answers to what was sent before `begin()` say nothing.
      for (const one of sent.splice(0)) if (one.steps === steps) answered = Math.max(answered, one.step)
      near.write(data)
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begin(): void {
      steps = []
      answered = 0
    },
    steps: () => steps.map((names) => names.toSorted()),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function nameOf([command = '', script = '']: readonly string[]): string {
  return /^eval(sha)?$/i.test(command) ? (SCRIPTS.get(script) ?? 'unknown script') : command.toLowerCase()
}

/** Whole commands as ioredis writes them: `*<count>`, then `$<bytes>` and the bytes of each argument. */
function parseCommands(data: Buffer): { readonly commands: readonly string[][]; readonly rest: Buffer } {
  const commands: string[][] = []
  let at = 0
  const line = (from: number): [text: string, next: number] | undefined => {
    const end = data.indexOf('\r\n', from)
    return end < 0 ? undefined : [data.toString('latin1', from + 1, end), end + 2]
  }
  for (;;) {
    const head = line(at)
    if (head === undefined) break
    const args: string[] = []
    let next = head[1]
    while (args.length < Number(head[0])) {
      const size = line(next)
      if (size === undefined || size[1] + Number(size[0]) + 2 > data.length) {
        return { commands, rest: data.subarray(at) }
      }
      args.push(data.toString('utf8', size[1], size[1] + Number(size[0])))
      next = size[1] + Number(size[0]) + 2
    }
    commands.push(args)
    at = next
  }
  return { commands, rest: data.subarray(at) }
}
