import { writeFile } from 'node:fs/promises'

/**
 * Profiles the process it runs in, where its parent asked for it by `BENCH_PROFILE`: the file to write.
 * @returns `start`, which does nothing the second time, and `finish`, which writes the file
 */
export function createProfiler(file = process.env['BENCH_PROFILE']) {
  let started
  return {
    start() {
      if (file) started ??= startProfile()
    },
    async finish() {
      if (!started) return
      const session = await started
      const { profile } = await session.post('Profiler.stop')
      await writeFile(file, JSON.stringify(profile))
    },
  }
}

async function startProfile() {
  const { Session } = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
  return session
}
