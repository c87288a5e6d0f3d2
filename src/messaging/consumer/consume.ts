/*
 * The durable consumer. It decides which process is active, how far the stream has been handled, attempts, dead letters and
 * workers. It never opens a stream itself (`events/` does) and never speaks Redis (`store/` does).
 *
 *   running-consumer       standby, active, standby again ...: holds the lease (term/lease) or waits for it
 *     resume               where a term begins in the stream
 *     active-term          one term as the active process: reads the stream into a sink (handling/sink)
 *       in-process-sink    handles events here, and saves how far it is (handling/saving)
 *       queue-sink         or, with `fanOut`, adds them to the queue
 *     worker               with `fanOut`, in every process: takes events from the queue
 *
 * Both in-process-sink and worker call the handler through handling/attempts.
 */
import { messagingKeyPrefixOf } from '../../config/key-prefix.js'
import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError } from '../../errors.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import { createMemoryConsumerStore } from '../../store/memory/consumer-store.js'
import { createRedisConsumerStore } from '../../store/redis/consumer/consumer-store.js'
import type { Caller } from '../call/caller.js'
import { createFeed } from '../events/feed.js'
import { ServerClock } from '../events/server-clock.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import type { Consumer } from '../types/consumer.js'
import type { Messaging } from '../types/methods.js'
import { refuseMore } from '../wire/validate.js'
import { RunningConsumer } from './running-consumer.js'
import { parseConsumeOptions } from './term/settings.js'

/** What {@link createConsume} is made of. */
export interface ConsumeParts {
  readonly caller: Caller
  /** The store, opened at its first use. */
  readonly store: () => ConsumerStore
  /** Warns an operator. */
  readonly warn: (text: string) => void
}

/** `consume()`, and `stopAll()`, which stops every consumer it has started. */
export interface Consume {
  readonly consume: Messaging['consume']
  stopAll(): Promise<void>
}

/** Creates `consume()` of one client. */
export function createConsume({ caller, store, warn }: ConsumeParts): Consume {
  const running = new Set<Consumer>()
  let [isStopping, hasWarned] = [false, false]

  /** Once, when the store is known to answer. */
  async function warnOfStore(opened: ConsumerStore): Promise<void> {
    if (hasWarned) return
    hasWarned = true
    const warning = await opened.readWarning()
    if (warning !== undefined) warn(warning)
  }

  return {
    consume(options, ...more: readonly unknown[]) {
      refuseMore(more, 'consume')
      const settings = parseConsumeOptions(options)
      caller.assertUsable()
      if (isStopping) throw new PpoppoError('closed', 'The Messaging client is being closed: create a new one.')
      const [opened, clock] = [store(), new ServerClock(caller.runtime)]
      const operation = `consume ${settings.name}`
      const consumer = new RunningConsumer({
        settings,
        openStream: ({ signal, ...stream }) =>
          createFeed({ caller, options: stream, operation, clock, ...(signal && { signal }) }),
        store: opened,
        runtime: caller.runtime,
        serverNow: () => clock.now(),
        warn,
        onStoreAnswers: () => void warnOfStore(opened),
      })
      running.add(consumer)
      if (consumer.storage === 'memory') warn(memoryWarning(settings.name))
      consumer.closed.then(
        () => running.delete(consumer),
        (error: unknown) => {
          running.delete(consumer)
          // An app that does not await `closed` must not believe that the consumer is still running.
          warn(`The consumer ${settings.name} has stopped: ${error instanceof Error ? error.message : String(error)}`)
        },
      )
      return consumer
    },
    async stopAll() {
      isStopping = true
      await Promise.all([...running].map((consumer) => consumer.stop()))
    },
  }
}

function memoryWarning(name: string): string {
  return `The consumer ${name} keeps its position in memory: after a restart it starts over, and another process handles the same events. Set "redis" (REDIS_URL) to share one position.`
}

/** What {@link createLazyConsumerStore} is made of. */
export interface LazyConsumerStoreParts {
  readonly config: MessagingConfig
  readonly runtime: MessagingRuntime
}

/** The store of a client's consumers: Redis if it is configured, else memory. Opened at its first use. */
export function createLazyConsumerStore({ config, runtime }: LazyConsumerStoreParts): {
  open(): ConsumerStore
  close(): Promise<void>
} {
  let store: ConsumerStore | undefined
  const { redis } = config
  const prefix = messagingKeyPrefixOf(config)
  return {
    open: () => {
      const { now } = runtime
      store ??= redis === undefined ? createMemoryConsumerStore({ now }) : createRedisConsumerStore({ redis, prefix })
      return store
    },
    close: async () => store?.close(),
  }
}
