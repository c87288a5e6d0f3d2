import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Messaging } from 'express-ppoppo'
import { createMessaging } from 'express-ppoppo/messaging'
import type Database from 'libsql'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { until } from '../../test/support/until.js'
import { createFeed } from '../src/live/feed.js'
import { type Following, followDeliveries } from '../src/live/follow-deliveries.js'
import { type MessageStore, openMessageStore } from '../src/messages/message-store.js'
import { openDatabase } from '../src/users.js'

let sandbox: Sandbox
let database: Database.Database
let store: MessageStore
let messaging: Messaging
let following: Following | undefined
let logged: unknown[]
beforeEach(async () => {
  sandbox = await startSandbox({ pasPort: 0, pcsPort: 0, pcsStepMs: 5 })
  database = openDatabase(':memory:')
  store = openMessageStore(database)
  messaging = connect()
  logged = []
})
afterEach(async () => {
  await following?.stop()
  await messaging.close()
  await sandbox.close()
  database.close()
})

function connect(): Messaging {
  const { url: apiUrl, tokenUrl, clientId, clientSecret } = sandbox.pcs ?? {}
  if (!apiUrl || !tokenUrl || !clientId || !clientSecret) throw new Error('no messaging service')
  return createMessaging({ environment: 'local', apiUrl, tokenUrl, clientId, clientSecret })
}

function begin(from: MessageStore = store): Following {
  const log = (error: unknown) => void logged.push(error)
  return followDeliveries({ messaging, store: from, feed: createFeed({ events: store.events }), log, pauseMs: 50 })
}

async function send(): Promise<void> {
  await messaging.send({ templateId: 'tpl_sandbox_welcome', recipients: [{ ppnum: '12300000001' }] })
}

const stored = () => database.prepare('SELECT event_id FROM delivery_events ORDER BY id').raw().all().flat()
const told = () => sandbox.control.pcs.events.map(({ event_id }) => event_id)
async function untilStored(count: number): Promise<void> {
  await until(() => stored().length >= count)
  expect(stored()).toEqual(told())
}

describe('following deliveries', () => {
  test('that stopped by itself is logged as an error, and starts again', async () => {
    sandbox.control.set({ pcsAppState: 'suspended' })
    following = begin()
    await until(() => logged.length > 0)
    expect(logged[0]).toMatchObject({
      message: expect.stringContaining('Stopped following deliveries'),
      cause: expect.objectContaining({ code: 'permission_denied' }),
    })
    sandbox.control.set({ pcsAppState: 'active' })
    await send()
    await untilStored(2)
  })

  test('without credentials does not begin, and is no fault', async () => {
    await messaging.close()
    messaging = createMessaging({ environment: 'local' })
    following = begin()
    await following.stop()
    expect(logged).toEqual([])
  })

  test('goes on after what the table has, where nothing else knows the place', async () => {
    following = begin()
    await send()
    await untilStored(2)
    await following.stop()
    await messaging.close()
    // No Redis: what this process knew is gone.
    messaging = connect()
    await send()
    following = begin()
    await untilStored(4)
    expect(sandbox.control.pcs.activeStreams).toMatchObject([{ afterEventId: stored()[1] }])
  })

  test('begins with what Ppoppo still has, where it no longer knows the place', async () => {
    following = begin()
    await send()
    await untilStored(2)
    await following.stop()
    await send()
    await until(() => told().length >= 4)
    sandbox.control.pcs.forgetOldestEvents(3)
    following = begin()
    await until(() => stored().length >= 3)
    expect(stored().slice(2)).toEqual(told())
    expect(logged).toEqual([])
  })

  test('tries again where the database does not take an event', async () => {
    let refusals = 0
    const busy: MessageStore = {
      ...store,
      events: {
        ...store.events,
        store(event) {
          refusals += 1
          if (refusals <= 3) throw new Error('database is locked')
          return store.events.store(event)
        },
      },
    }
    following = begin(busy)
    await send()
    await untilStored(2)
    expect(refusals).toBe(5)
  })
})
