import * as b1 from '../benchmarks/b1-guarded.mjs'
import * as b2 from '../benchmarks/b2-public.mjs'
import * as b3 from '../benchmarks/b3-sign-in.mjs'
import * as b6 from '../benchmarks/b6-calls.mjs'
import * as b7 from '../benchmarks/b7-events.mjs'
import * as b9 from '../benchmarks/b9-memory.mjs'
import * as b11 from '../benchmarks/b11-far-redis.mjs'
import { startPas } from './pas.mjs'
import { startRedis } from './redis.mjs'
import { summarize } from './report.mjs'

const BENCHMARKS = [b1, b2, b3, b6, b7, b9, b11]

/** Runs the benchmarks that were asked for, each with a fresh Redis and PAS. */
export async function runAll({ only, rounds, isQuick }) {
  const results = []
  for (const benchmark of BENCHMARKS.filter(({ id }) => only.includes(id))) {
    const log = (text) => console.error(`${benchmark.id}: ${text}`)
    log(benchmark.title)
    const redis = await startRedis()
    const pas = await startPas()
    try {
      const found = await benchmark.run({ redis, pas, rounds, isQuick, log })
      results.push(summarize(benchmark, found))
    } finally {
      await pas.end()
      redis.end()
    }
  }
  return results
}
