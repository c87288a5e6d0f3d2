/**
 * `npm test [-- jest arguments]`: everything, on a machine that has only Node. Finds or installs Redis, Chromium, Firefox
 * and nginx, builds what the tests need, runs Jest, ends what it started, and closes with `N passed, N failed, N skipped`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './lib/build.mjs'
import { findChromium, findFirefox, findNginx } from './lib/find-binary.mjs'
import { installWithApt } from './lib/install.mjs'
import { exitCodeOf, runToEnd, start, whenEnding } from './lib/processes.mjs'
import { provideRedis, REDIS_ADVICE } from './lib/redis.mjs'

const JEST = fileURLToPath(import.meta.resolve('jest/bin/jest'))
/** A quarter of an hour on an idle machine of two cores; one with other work may take six times as long. */
const RUN_AT_MOST_MS = 90 * 60_000
/** Jest waits for ever on a handle that a test left open. */
const EXIT_WITHIN_MS = 20_000
const CHROMIUM_ADVICE = 'install chromium or Google Chrome, or set CHROMIUM_BIN'
const FIREFOX_ADVICE = 'install firefox-esr or Firefox, or set FIREFOX_BIN'

await runToEnd(async () => {
  const isCi = Boolean(process.env['CI'] && process.env['CI'] !== 'false')
  const redis = await provideRedis({ ...process.env, CI: isCi ? 'true' : undefined })
  const chromium = findChromium() ?? (isCi && installWithApt(['chromium']) ? findChromium() : undefined)
  const nginx = findNginx() ?? (isCi && installWithApt(['nginx']) ? findNginx() : undefined)
  const firefox = findFirefox() ?? (isCi && installWithApt(['firefox-esr']) ? findFirefox() : undefined)

  if (redis === undefined) throw new Error(`The tests need a Redis, and none was found: ${REDIS_ADVICE}.`)
  console.log(`Redis: ${redis.how}`)
  const skipped = []
  if (redis.serverBin === undefined) skipped.push('tests that stop and start Redis, no redis-server found')
  if (chromium === undefined) skipped.push(`browser tests, no Chromium found: ${CHROMIUM_ADVICE}`)
  if (nginx === undefined) skipped.push('tests behind a proxy, no nginx found: install nginx, or set NGINX_BIN')
  if (firefox === undefined) skipped.push(`tests in Firefox, none found: ${FIREFOX_ADVICE}`)
  if (isCi && skipped.length > 0) throw new Error(`With CI=true nothing may be skipped: ${skipped.join('; ')}.`)
  printSkipped(skipped)

  if (!(await build())) return 1
  const { code, counts } = await runJest({
    TEST_REDIS_URL: redis.url,
    ...(redis.serverBin && { REDIS_SERVER_BIN: redis.serverBin }),
    ...(chromium && { TEST_CHROMIUM_BIN: chromium }),
    ...(nginx && { TEST_NGINX_BIN: nginx }),
    ...(firefox && { TEST_FIREFOX_BIN: firefox }),
  })
  printSkipped(skipped)
  console.log(counts ?? 'Jest ended before it had counted.')
  return counts === undefined && code === 0 ? 1 : code
})

/** @param {Record<string, string>} found */
async function runJest(found) {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-test-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const countsFile = join(folder, 'counts')
  const args = process.argv.slice(2)
  const isWatching = args.some((arg) => arg.startsWith('--watch'))
  const nodeOptions = [
    process.env['NODE_OPTIONS'],
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
  ]
  // The library reads REDIS_URL too: a test that wants Redis says so with TEST_REDIS_URL.
  const { REDIS_URL: _, ...env } = process.env
  const child = start(process.execPath, [JEST, ...args], {
    group: !isWatching,
    stdio: [isWatching ? 'inherit' : 'ignore', 'inherit', 'inherit'],
    env: { ...env, ...found, NODE_OPTIONS: nodeOptions.filter(Boolean).join(' '), TEST_COUNTS_FILE: countsFile },
  })
  const watchdog = isWatching ? undefined : watch(child, countsFile)
  const code = await exitCodeOf(child)
  clearInterval(watchdog)
  return { code, counts: existsSync(countsFile) ? readFileSync(countsFile, 'utf8') : undefined }
}

/**
 * Ends a Jest that takes too long, or that has counted and yet does not exit.
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} countsFile
 */
function watch(child, countsFile) {
  const startedAt = Date.now()
  let finishedAt = Number.POSITIVE_INFINITY
  return setInterval(() => {
    if (finishedAt === Number.POSITIVE_INFINITY && existsSync(countsFile)) finishedAt = Date.now()
    if (Date.now() - finishedAt > EXIT_WITHIN_MS)
      kill(child, 'Jest finished and does not exit: a test left something open.')
    else if (Date.now() - startedAt > RUN_AT_MOST_MS)
      kill(child, `The tests took more than ${RUN_AT_MOST_MS / 60_000} minutes and were ended.`)
  }, 500)
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} reason
 */
function kill(child, reason) {
  console.error(reason)
  if (child.pid !== undefined) process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
}

/** @param {readonly string[]} skipped */
function printSkipped(skipped) {
  for (const what of skipped) console.log(`skipped: ${what}`)
}
