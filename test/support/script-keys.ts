import { createHash, randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { until } from './until.js'

/** What the scripts of a server do, as MONITOR tells it. */
export interface ScriptWatch {
  /** SHA-1 of each script that was called. */
  scripts(): Promise<ReadonlySet<string>>
  /** Commands in scripts with a key that the script's call did not name in KEYS, as `'GET a (KEYS: b, c)'`. */
  undeclared(): Promise<readonly string[]>
  close(): void
}

interface InnerCommand {
  readonly args: readonly string[]
  readonly keys: readonly string[]
}

/** What EVALSHA calls a script. */
export const sha1 = (lua: string): string => createHash('sha1').update(lua).digest('hex')

/** Watches every script on this server from now on, whoever calls it. */
export async function watchScripts(url: string): Promise<ScriptWatch> {
  const client = new Redis(url)
  const monitor = await client.monitor()
  const scripts = new Set<string>()
  const inner = new Map<string, InnerCommand>()
  const marks = new Set<string>()
  let keys: readonly string[] = []
  monitor.on('monitor', (_time: string, args: readonly string[], source: string) => {
    const [name = '', script = '', count = '0'] = args
    if (source === 'lua') inner.set(JSON.stringify([args, keys]), { args, keys })
    else if (/^evalsha$/i.test(name)) scripts.add(script)
    else if (/^eval$/i.test(name)) scripts.add(sha1(script.replaceAll('\\n', '\n')))
    if (/^eval(sha)?$/i.test(name)) keys = args.slice(3, 3 + Number(count)) // its own commands come next
    if (/^echo$/i.test(name)) marks.add(script)
  })

  /** Until MONITOR has told what was done before. */
  async function untilTold(): Promise<void> {
    const mark = randomUUID()
    await client.echo(mark)
    await until(() => marks.has(mark))
  }

  async function keysOf(args: readonly string[]): Promise<readonly string[]> {
    if (args.length < 2) return [] // TIME
    try {
      return (await client.call('COMMAND', 'GETKEYS', ...args)) as string[]
    } catch (error) {
      if (String(error).includes('no key arguments')) return []
      throw error
    }
  }

  return {
    async scripts() {
      await untilTold()
      return scripts
    },
    async undeclared() {
      await untilTold()
      const found = new Set<string>()
      // All at once: one after the other they take a busy machine minutes.
      await Promise.all(
        [...inner.values()].map(async ({ args, keys: declared }) => {
          for (const key of await keysOf(args)) {
            if (!declared.includes(key)) found.add(`${args[0]} ${key} (KEYS: ${declared.join(', ')})`)
          }
        }),
      )
      return [...found]
    },
    close() {
      monitor.disconnect()
      client.disconnect()
    },
  }
}
