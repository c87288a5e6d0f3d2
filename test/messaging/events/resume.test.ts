import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type EventsWorld, startEventsWorld, take } from './support/world.js'

let world: EventsWorld
beforeEach(async () => {
  world = await startEventsWorld()
})
afterEach(() => world.close())

const cursors = (): (string | undefined)[] => world.pcs.opened.map(({ request }) => request.after_event_id)

describe('a reopened stream', () => {
  test('resumes from exactly the last event, after each event', async () => {
    world.pcs.script = (stream) => {
      stream.send(`e${stream.index}`)
      if (stream.index % 2) stream.end()
    }
    const events = world.connect().events()
    for (let index = 0; index < 20; index += 1) {
      expect(await take(events, 1)).toEqual([`e${index}`])
      // Not before it is read: with a status that is not OK, grpc-js drops what was not.
      if (index % 2 === 0) world.pcs.opened[index]?.fail(14, 'going away')
    }
    expect(cursors().slice(0, 20)).toEqual([undefined, ...Array.from({ length: 19 }, (_, index) => `e${index}`)])
    await events.return(undefined)
  })

  test('starts at "after", and is for one send if that is requested', async () => {
    world.pcs.script = (stream) => {
      stream.send(`x${stream.index}`)
      stream.end()
    }
    const events = world.connect().events({ after: '01HQ', sendRequestId: 'snd_7' })
    await take(events, 2)
    expect(world.pcs.opened.slice(0, 2).map(({ request }) => request)).toEqual([
      { after_event_id: '01HQ', send_request_id: 'snd_7' },
      { after_event_id: 'x0', send_request_id: 'snd_7' },
    ])
    await events.return(undefined)
  })

  test('resumes from the last event handed out, whatever had arrived after it', async () => {
    world.pcs.script = (stream) => {
      const from = Number(stream.request.after_event_id?.slice(1) ?? -1) + 1
      for (let id = from; id < from + 200; id += 1) stream.send(`e${id}`)
    }
    const events = world.connect().events()
    expect(await take(events, 3)).toEqual(['e0', 'e1', 'e2'])
    world.pcs.opened[0]?.fail(14, 'cut')
    const ids = await take(events, 200)
    expect(ids).toEqual(Array.from({ length: 200 }, (_, index) => `e${index + 3}`))
    const after = world.pcs.opened[1]?.request.after_event_id ?? ''
    expect(ids).toContain(after)
    await events.return(undefined)
  })
})

describe('an event that comes again', () => {
  test('is not handed out again, and does not move the cursor back', async () => {
    world.pcs.script = (stream) => {
      if (stream.index === 0) {
        stream.send('a', 'b', 'a', 'c', 'a', 'b')
        stream.end()
      } else stream.send('b', 'c', 'd')
    }
    const events = world.connect().events()
    expect(await take(events, 4)).toEqual(['a', 'b', 'c', 'd'])
    expect(cursors()).toEqual([undefined, 'c'])
    await events.return(undefined)
  })

  test('is not handed out if it is the one to resume from', async () => {
    world.pcs.script = (stream) => stream.send('01HQ', 'a')
    const events = world.connect().events({ after: '01HQ' })
    expect(await take(events, 1)).toEqual(['a'])
    await events.return(undefined)
  })

  test('is handed out again if it has no id, and is not used as a cursor', async () => {
    world.pcs.script = (stream) => {
      stream.send('a', '', '')
      stream.end()
    }
    const events = world.connect().events()
    expect(await take(events, 5)).toEqual(['a', '', '', '', ''])
    expect(cursors().slice(0, 2)).toEqual([undefined, 'a'])
    await events.return(undefined)
  })
})

test('several next() may wait at a time; each event goes to one, in order', async () => {
  const events = world.connect().events()
  const waiting = Array.from({ length: 5 }, () => take(events, 1))
  const stream = await world.pcs.stream(0)
  stream.send('a', 'b', 'c', 'd', 'e', 'f')
  expect((await Promise.all(waiting)).flat()).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(await take(events, 1)).toEqual(['f'])
  await events.return(undefined)
})
