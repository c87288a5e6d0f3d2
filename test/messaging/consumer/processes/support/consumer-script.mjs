/**
 * A consumer as a process of its own: `node consumer-script.mjs <library> <options as JSON>`. Each handler writes a line
 * to the journal when it begins and when it ends, at once and to the end of the file, so that the order of the lines is
 * the order of what happened in all processes. What the library tells is printed, one JSON object a line. It consumes
 * until SIGTERM or the end of its standard input, and must then exit by itself.
 */
import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [library, json = '{}'] = process.argv.slice(2)
const { client, consume, journal, handling = {} } = JSON.parse(json)
const { createMessaging } = await import(library)
const { everyNth = 1, leastMs = 0, mostMs = 0, isSilent = false, deadly } = handling

const print = (type, state = {}) => process.stdout.write(`${JSON.stringify({ type, at: nowMs(), ...state })}\n`)
/** The machine's monotonic clock: the same in all processes. */
const nowMs = () => Number(process.hrtime.bigint() / 1000n) / 1000

const file = isSilent ? undefined : openSync(journal, 'a')
let begun = 0
/** Of a silent process: how often each event came, by the number in its id. */
const counts = new Map()
const write = (what, event, { fence, attempt }) =>
  writeSync(file, `${what} ${fence} ${process.pid} ${nowMs()} ${attempt} ${event.eventId} ${event.sendRequestId}\n`)

function handler(event, context) {
  begun += 1
  if (isSilent) {
    const place = Number(event.eventId.slice(4))
    counts.set(place >> 5, (counts.get(place >> 5) ?? 0) ^ (1 << (place & 31)))
  } else write('begin', event, context)
  const done = () => isSilent || write('end', event, context)
  if (event.eventId === deadly?.eventId) return actDeadly(deadly, done)
  if (mostMs === 0 || begun % everyNth !== 0) return done()
  const ms = leastMs + Math.random() * (mostMs - leastMs)
  return new Promise((resolve) => setTimeout(resolve, ms)).then(done)
}

/** What this one event does to the process. */
function actDeadly({ how, ms = 0 }, done) {
  if (how === 'kill') process.kill(process.pid, 'SIGKILL')
  if (how === 'reject') return void setTimeout(() => Promise.reject(new Error('nobody waits for this')), ms)
  const endAt = performance.now() + ms
  while (performance.now() < endAt);
  if (how === 'block-and-throw') throw new Error('too late')
  return done()
}

const messaging = createMessaging(client)
const consumer = messaging.consume({
  ...consume,
  handler,
  onActive: (state) => print('active', state),
  onStandby: ({ reason, error }) => print('standby', { reason, code: error?.code }),
  onConnected: () => print('connected'),
  onDisconnected: ({ reason }) => print('disconnected', { reason }),
  onResumed: () => print('resumed'),
  onStoreFault: ({ message }) => print('store-fault', { message }),
  onDeadLetter: ({ event, attempts }) => print('dead-letter', { eventId: event.eventId, attempts }),
})
consumer.closed.then(
  () => print('closed'),
  ({ code, message }) => print('closed', { code, message }),
)

function report() {
  const { user, system } = process.cpuUsage()
  // Each event once: all bits of all words are set, but for those beyond the last.
  let seen = 0
  for (const word of counts.values()) for (let bits = word; bits !== 0; bits &= bits - 1) seen += 1
  print('report', {
    rss: process.memoryUsage().rss,
    cpuMs: (user + system) / 1000,
    begun,
    seen,
    isActive: consumer.isActive,
  })
}

const commands = createInterface({ input: process.stdin })
commands.on('line', (line) => line === 'report' && report())

let isEnding = false
async function end() {
  if (isEnding) return
  isEnding = true
  print('ending')
  await consumer.stop()
  await messaging.close()
  print('ended')
  commands.close()
  process.stdin.destroy()
}
process.once('SIGTERM', end)
commands.once('close', end)
print('ready')
