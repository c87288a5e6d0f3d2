import { setTimeout as sleep } from 'node:timers/promises'
import { startApp } from '../lib/app.mjs'
import { startOwnRedis } from '../lib/own-redis.mjs'
import { startPas } from '../lib/pas.mjs'
import { startSlowProxy } from '../lib/slow-proxy.mjs'
import { FaultLog, runFaults } from './faults.mjs'
import { Judge } from './judge.mjs'
import { signEverybodyIn } from './people.mjs'
import { askAll, measureCapacity, startTraffic } from './traffic.mjs'

/** Signs everybody in, lets them ask while Redis fails, and says what was wrong. @returns {Promise<number>} exit code */
export async function runLoad({ clients, seconds, perSecond: given }) {
  const redis = await startOwnRedis()
  const pas = await startPas(clients)
  const proxy = await startSlowProxy({ host: '127.0.0.1', port: redis.port })
  const settings = {
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
    issuer: pas.issuer,
    clientId: 'load_login_client',
    logsEvents: true,
  }
  const app = await startApp('ours', settings)
  try {
    console.log(`signing in ${clients} people`)
    const people = await signEverybodyIn(app.url, clients)
    const perSecond = given ?? Math.ceil(Math.min(clients / 5, (await measureCapacity({ url: app.url, people })) / 4))
    console.log(`${clients} people, ${perSecond} requests a second, for ${seconds} s`)
    const faults = new FaultLog()
    const judge = new Judge(faults)
    const traffic = startTraffic({ url: app.url, people, perSecond, judge })
    await Promise.all([runFaults({ redis, proxy, faults, seconds }), sleep(seconds * 1_000)])
    await traffic.stop()
    await askAll({ url: app.url, people, judge })
    return judge.report()
  } catch (error) {
    throw new Error(`${error.message}\nThe app said last:\n${app.errors()}`)
  } finally {
    await app.end()
    await pas.end()
    proxy.end()
    await redis.end()
  }
}
