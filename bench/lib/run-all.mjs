import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import * as b1 from '../benchmarks/b1-guarded.mjs'
import * as b2 from '../benchmarks/b2-public.mjs'
import * as b3 from '../benchmarks/b3-sign-in.mjs'
import * as b4 from '../benchmarks/b4-token-due.mjs'
import * as b6 from '../benchmarks/b6-calls.mjs'
import * as b7 from '../benchmarks/b7-events.mjs'
import * as b8 from '../benchmarks/b8-start.mjs'
import * as b9 from '../benchmarks/b9-memory.mjs'
import * as b11 from '../benchmarks/b11-far-redis.mjs'
import * as b12 from '../benchmarks/b12-everywhere.mjs'
import { OURS } from '../benchmarks/http-apps.mjs'
import { startPas } from './pas.mjs'
import { toProfileTable } from './profile-table.mjs'
import { startRedis } from './redis.mjs'
import { summarize } from './report.mjs'

const BENCHMARKS = [b1, b2, b3, b4, b6, b7, b8, b9, b11, b12]

/** Runs the benchmarks that were asked for, each with a fresh Redis and PAS. */
export async function runAll({ only, rounds, isQuick, profile, stored }) {
  if (profile) await mkdir(profile, { recursive: true })
  const results = []
  for (const benchmark of BENCHMARKS.filter(({ id }) => only.includes(id))) {
    const log = (text) => console.error(`${benchmark.id}: ${text}`)
    log(benchmark.title)
    const redis = await startRedis()
    const pas = await startPas()
    try {
      const profileOf = (name) =>
        profile && resolve(profile, `${benchmark.id}-${name.replaceAll(/[^\w-]+/g, '-')}.cpuprofile`)
      const found = await benchmark.run({ redis, pas, rounds, isQuick, log, profileOf, stored })
      results.push(summarize({ ...benchmark, title: titleOf(benchmark, stored) }, found))
      if (profile) await showProfile(profileOf(OURS))
    } finally {
      await pas.end()
      redis.end()
    }
  }
  return results
}

async function showProfile(file) {
  // A benchmark without an app to profile writes none.
  if (existsSync(file)) console.log(`\n${file}: self time\n${await toProfileTable(file)}`)
}

function titleOf({ id, title }, stored) {
  return id === 'B1' && stored > 0 ? `${title}, with ${stored.toLocaleString('en')} sign-ins stored` : title
}
