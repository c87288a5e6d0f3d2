import { setTimeout as sleep } from 'node:timers/promises'

const SLOW_MS = 300

/** When Redis was away or slow. Times are those of `performance.now()`. */
export class FaultLog {
  /** @type {{ name: string, from: number, to: number, mayRefuse: boolean }[]} `to` is Infinity as long as it lasts */
  faults = []

  /**
   * @param {string} name
   * @param {boolean} mayRefuse whether 503 is an answer meanwhile
   * @param {() => Promise<void>} work from the fault's begin to its end
   */
  async during(name, mayRefuse, work) {
    const fault = { name, from: performance.now(), to: Number.POSITIVE_INFINITY, mayRefuse }
    this.faults.push(fault)
    console.log(name)
    await work()
    fault.to = performance.now()
    console.log(`  over after ${((fault.to - fault.from) / 1_000).toFixed(1)} s`)
  }
}

/** Kills Redis twice, stops it once, and slows it down, spread over so many seconds. */
export async function runFaults({ redis, proxy, faults, seconds }) {
  const startedAt = performance.now()
  const untilShare = (share) => sleep(Math.max(0, startedAt + share * seconds * 1_000 - performance.now()))
  const killed = (share) => async () => {
    await redis.kill()
    await sleep(share * seconds * 1_000)
    await redis.start()
  }
  await untilShare(0.08)
  await faults.during('Redis is killed', true, killed(0.03))
  await untilShare(0.24)
  await faults.during('Redis is killed again', true, killed(0.05))
  await untilShare(0.42)
  await faults.during('Redis is stopped', true, async () => {
    redis.stop()
    await sleep(0.08 * seconds * 1_000)
    redis.continue()
  })
  await untilShare(0.64)
  await faults.during(`Redis is ${SLOW_MS} ms away`, false, async () => {
    proxy.setDelay(SLOW_MS / 2)
    await sleep((seconds * 1_000) / 6)
    proxy.setDelay(0)
  })
}
