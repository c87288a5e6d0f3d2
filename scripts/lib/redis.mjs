import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBinary, findRedisServer } from './find-binary.mjs'
import { installWithApt, installWithBrew } from './install.mjs'
import { freePort } from './ports.mjs'
import { start, whenEnding } from './processes.mjs'

const READY_WITHIN_MS = 10_000

/**
 * A Redis for the tests: `REDIS_URL`, else a server of our own, installed first where that is possible, else Docker.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<{ url: string, serverBin?: string, how: string } | undefined>}
 */
export async function provideRedis(env) {
  const given = env['REDIS_URL']
  // Fault tests stop and kill servers of their own, so a server program is wanted even where a URL is given.
  const serverBin = findRedisServer(env) ?? (given && !env['CI'] ? undefined : installRedis(env))
  if (given) return { url: given, how: 'REDIS_URL', ...(serverBin && { serverBin }) }
  if (serverBin) return { url: await startServer(serverBin), serverBin, how: serverBin }
  const url = await startContainer()
  return url === undefined ? undefined : { url, how: 'Docker' }
}

/** What to tell somebody who has none. */
export const REDIS_ADVICE = 'install redis-server or valkey-server, start Docker, or set REDIS_URL'

/** @param {Readonly<Record<string, string | undefined>>} env */
function installRedis(env) {
  return installWithApt(['redis-server']) || installWithBrew('redis') ? findRedisServer(env) : undefined
}

/**
 * @param {string} serverBin
 * @returns {Promise<string>}
 */
async function startServer(serverBin) {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-redis-'))
  whenEnding(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const config = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const child = start(serverBin, config, { stdio: 'ignore' })
  if (await answersPing(port, () => child.exitCode === null)) return `redis://127.0.0.1:${port}`
  throw new Error(`${serverBin} did not start on port ${port}`)
}

/** @returns {Promise<string | undefined>} */
async function startContainer() {
  if (findBinary(['docker']) === undefined || docker('info') === undefined) return undefined
  const id = docker('run', '--rm', '--detach', '--publish', '127.0.0.1::6379', 'redis:7', 'redis-server', '--save', '')
  if (id === undefined) return undefined
  whenEnding(() => docker('stop', '--time', '1', id))
  const port = Number(docker('port', id, '6379/tcp')?.split('\n')[0]?.split(':').at(-1))
  return (await answersPing(port, () => true)) ? `redis://127.0.0.1:${port}` : undefined
}

/**
 * @param {string[]} args
 * @returns {string | undefined} what it printed, where it worked
 */
function docker(...args) {
  const result = spawnSync('docker', args, { encoding: 'utf8', timeout: 180_000 })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/**
 * @param {number} port
 * @param {() => boolean} isAlive
 */
async function answersPing(port, isAlive) {
  const until = Date.now() + READY_WITHIN_MS
  while (isAlive() && Date.now() < until) {
    if (await ping(port)) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function ping(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 }, () => socket.write('PING\r\n'))
    /** @param {boolean} answer */
    const finish = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', (bytes) => finish(bytes.toString().startsWith('+PONG')))
    socket.once('error', () => finish(false))
    socket.once('timeout', () => finish(false))
  })
}
