import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

/** A network between a client and a server that can go wrong. */
export interface Proxy {
  readonly port: number
  /** From now on the connections that are there carry nothing, and do not end. New ones work. */
  swallow(): void
  /** From now on what clients send is kept back, and arrives at `release()`, also when they have hung up meanwhile. */
  hold(): void
  release(): void
  /** From now on what is sent arrives this much later, each way, in its order. @param oneWayMs asked for each piece */
  delay(oneWayMs: () => number): void
  /** From now on this is what arrives instead of what a server answers. @param change given one piece as it came */
  changeAnswers(change: (answer: string) => string): void
  close(): Promise<void>
}

/** Starts a TCP proxy on 127.0.0.1 to `targetPort`. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const pairs = new Map<Socket, { readonly there: Transform; readonly far: Socket }>()
  const held = new Map<Socket, Buffer[]>()
  let oneWayMs = (): number => 0
  let changed = (answer: string): string => answer
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    const there = createLine(() => oneWayMs())
    near.pipe(there).pipe(far)
    far
      .pipe(
        createLine(
          () => oneWayMs(),
          (answer) => changed(answer),
        ),
      )
      .pipe(near)
    pairs.set(near, { there, far })
    near.on('close', () => pairs.delete(near))
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {}) // a connection that is cut is what the tests are about
      socket.on('close', () => sockets.delete(socket))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    swallow(): void {
      for (const socket of sockets) {
        socket.unpipe()
        socket.resume()
      }
    },
    hold(): void {
      for (const [near, { there, far }] of pairs) {
        const kept: Buffer[] = []
        held.set(far, kept)
        near
          .unpipe(there)
          .on('data', (chunk: Buffer) => kept.push(chunk))
          .resume()
      }
    },
    release(): void {
      for (const [far, kept] of held) for (const chunk of kept) far.write(chunk)
      held.clear()
    },
    delay(given): void {
      oneWayMs = given
    },
    changeAnswers(change): void {
      changed = change
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** One direction of a connection. */
function createLine(oneWayMs: () => number, change = (text: string): string => text): Transform {
  let arrived: Promise<unknown> = Promise.resolve()
  const line: Transform = new Transform({
    transform(given: Buffer, _encoding, done) {
      const chunk = Buffer.from(change(given.toString('latin1')), 'latin1')
      const ms = oneWayMs()
      if (ms > 0) {
        const [before, travelled] = [arrived, wait(ms, undefined, { ref: false })]
        arrived = before.then(() => travelled).then(() => line.push(chunk))
      } else arrived = arrived.then(() => line.push(chunk))
      done()
    },
    flush: (done) => void arrived.then(() => done()),
  })
  return line
}
