import { MAX_DEAD_LETTERS } from '../../bounds.js'
import type { DeadLetterStore, StoredDeadLetter } from '../../consumer-store.js'
import type { RedisConsumerConnection } from './connection.js'

/** The dead letters in Redis. */
export function createRedisDeadLetters({ run, runInTime, keysOf }: RedisConsumerConnection): DeadLetterStore {
  return {
    async list(name, limit, offset = 0): Promise<readonly StoredDeadLetter[]> {
      if (limit <= 0) return []
      const { letters } = keysOf(name)
      const texts = await run('letters.list', (client) => client.lrange(letters, offset, offset + limit - 1))
      return texts.flatMap((text) => toLetter(text) ?? [])
    },
    async count(name): Promise<number> {
      return run('letters.count', (client) => client.llen(keysOf(name).letters))
    },
    async add(name, letter): Promise<'added' | 'full'> {
      const { letters, letterTexts } = keysOf(name)
      const reply = await runInTime('letters.add', letters, (client, notAfter) =>
        client.ppoppoLetterAdd(letters, letterTexts, MAX_DEAD_LETTERS, notAfter, ...toArguments([letter])),
      )
      return reply === 1 ? 'added' : 'full'
    },
    async remove(name, id): Promise<boolean> {
      const { letters, letterTexts } = keysOf(name)
      const reply = await runInTime('letters.remove', letters, (client, notAfter) =>
        client.ppoppoLetterRemove(letters, letterTexts, headOf(id), notAfter),
      )
      return reply === 1
    },
  }
}

/** Dead letters in the form that a script takes: `head, text, head, text, ...`. */
export function toArguments(letters: readonly StoredDeadLetter[]): readonly string[] {
  return letters.flatMap(({ id, text }) => [headOf(id), text])
}

/** The prefix of a dead letter in Redis. Because of the length, no head is the prefix of another, whatever the id. */
function headOf(id: string): string {
  return `${Buffer.byteLength(id)}:${id}`
}

/** `undefined` for anything that somebody else put into the list. */
function toLetter(text: string): StoredDeadLetter | undefined {
  const bytes = /^(\d+):/.exec(text)?.[1]
  if (bytes === undefined) return undefined
  const rest = Buffer.from(text.slice(bytes.length + 1))
  return { id: rest.toString('utf8', 0, Number(bytes)), text: rest.toString('utf8', Number(bytes)) }
}
