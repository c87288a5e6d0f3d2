/*
 * The durable consumer. It decides which process is active, how far the stream has been handled, attempts, dead letters and
 * workers. It never opens a stream itself (`events/` does) and never speaks Redis (`store/` does).
 *
 *   running-consumer      on standby, then active, then on standby again ...   term/lease
 *     lead                one term as the active process                       term/tenure: what may still be started and saved
 *       read-stream       reads no faster than there is room, and past a lost cursor
 *       handling/in-process-sink   handles events here: event-window (what a checkpoint may cover), attempts, saving
 *       handling/queue-sink        or, with `fanOut`, adds them to the queue
 *     worker              with `fanOut`, in every process: from the queue to the handler
 */
import { PpoppoError } from '../../errors.js'
import type { ConsumerStore } from '../../store/consumer-store.js'
import type { Caller } from '../call/caller.js'
import { openFeed } from '../events/events.js'
import { ServerClock } from '../events/server-clock.js'
import type { Messaging } from '../types/calls.js'
import type { Consumer } from '../types/consumer.js'
import { refuseMore } from '../wire/validate.js'
import { RunningConsumer } from './running-consumer.js'
import { parseConsumeOptions } from './term/settings.js'

export interface ConsumeParts {
  readonly caller: Caller
  /** Opened at its first use. */
  readonly store: () => ConsumerStore
  /** Tells an operator what must not be missed. */
  readonly warn: (text: string) => void
}

/** `consume()`, and what ends all that it began. */
export function createConsume({ caller, store, warn }: ConsumeParts): {
  readonly consume: Messaging['consume']
  stopAll(): Promise<void>
} {
  const running = new Set<Consumer>()
  let [isStopping, isWarningTold] = [false, false]

  /** Once, when the store is known to answer. */
  async function tellWarning(opened: ConsumerStore): Promise<void> {
    if (isWarningTold) return
    isWarningTold = true
    const warning = await opened.readWarning()
    if (warning !== undefined) warn(warning)
  }

  return {
    consume(options, ...more: readonly unknown[]) {
      refuseMore(more, 'consume')
      const settings = parseConsumeOptions(options)
      caller.assertUsable()
      if (isStopping) throw new PpoppoError('closed', 'The Messaging client is being closed: make a new one.')
      const [opened, clock] = [store(), new ServerClock(caller.runtime.now)]
      const consumer = new RunningConsumer({
        settings,
        events: ({ signal, ...asked }) => openFeed(caller, asked, signal, `consume ${settings.name}`, clock),
        store: opened,
        runtime: caller.runtime,
        serverNow: () => clock.now(),
        warn,
        onStoreAnswers: () => void tellWarning(opened),
      })
      running.add(consumer)
      if (consumer.storage === 'memory') warn(memoryWarning(settings.name))
      consumer.closed.then(
        () => running.delete(consumer),
        (error: unknown) => {
          running.delete(consumer)
          // Whoever awaits `closed` hears it there; whoever does not must not believe that it still runs.
          warn(`The consumer ${settings.name} has ended: ${error instanceof Error ? error.message : String(error)}`)
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
