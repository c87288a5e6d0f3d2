/**
 * `npm start [-- sandbox arguments]`: builds what has changed, starts the sandbox and the example app, and says where
 * to look. With `PPOPPO_AUTH_URL` it uses that PAS and starts no sandbox. With `REDIS_URL` the app keeps its data there.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadEnvFile } from 'node:process'
import { build, ROOT } from './lib/build.mjs'
import { freePort, isPortTaken } from './lib/ports.mjs'
import { runToEnd } from './lib/processes.mjs'
import { startServer } from './lib/servers.mjs'

const PAS_PORT = '3100'
const PCS_PORT = 3203

await runToEnd(async () => {
  // The app reads this file too; what it says about ports and PAS counts here as well.
  const dotEnv = join(ROOT, 'example-app/.env')
  if (existsSync(dotEnv)) loadEnvFile(dotEnv)
  const { PORT, PPOPPO_AUTH_URL, PPOPPO_ENVIRONMENT = 'local' } = process.env
  const appPort = toPort('PORT', PORT || '3000')
  const args = process.argv.slice(2)
  const pasPort = toPort('--pas-port', flagValue('--pas-port', args) ?? PAS_PORT)
  const usesSandbox = !PPOPPO_AUTH_URL && PPOPPO_ENVIRONMENT === 'local'
  await assertFree(appPort, 'PORT=3001 npm start')
  if (usesSandbox) await assertFree(pasPort, 'npm start -- --pas-port 3101')
  const pcsPort = usesSandbox ? await pcsPortFor(pasPort, args) : undefined
  if (!(await build())) return 1

  const pasUrl = `http://localhost:${pasPort}`
  const appUrl = `http://localhost:${appPort}`
  const sandboxArgs = pcsPort === undefined || args.some(isPcsPort) ? args : [...args, '--pcs-port', `${pcsPort}`]
  const sandbox = { name: 'sandbox', entry: join(ROOT, 'sandbox/dist/cli.js'), args: sandboxArgs, url: pasUrl }
  const running = usesSandbox ? [await startServer(sandbox)] : []
  const pcs = pcsPort === undefined ? {} : { PCS_API_URL: `http://localhost:${pcsPort}` }
  const env = {
    ...(usesSandbox && { ...pcs, PAS_TOKEN_URL: `${pasUrl}/oauth/token` }),
    ...process.env,
    PORT: `${appPort}`,
    ...(usesSandbox && { PPOPPO_AUTH_URL: pasUrl }),
  }
  // The address is printed once, here, when it answers: the app's own line would come too early.
  const app = { name: 'example app', entry: join(ROOT, 'example-app/dist/server.js'), url: appUrl, env, hides: appUrl }
  running.push(await startServer(app))
  console.log(`\nOpen ${appUrl} (Ctrl-C ends it)`)

  const ended = await Promise.race(running.map(({ name, closed }) => closed.then(() => name)))
  throw new Error(`The ${ended} ended by itself, so all ends.`)
})

/**
 * Where the sandbox's messaging service is to listen. A second sandbox on this machine finds a port by itself.
 * @param {number} pasPort
 * @param {readonly string[]} args
 * @returns {Promise<number | undefined>} `undefined` without one
 */
async function pcsPortFor(pasPort, args) {
  if (args.includes('--no-pcs')) return undefined
  const given = flagValue('--pcs-port', args)
  if (given === undefined && pasPort !== Number(PAS_PORT)) return freePort()
  const port = given === undefined ? PCS_PORT : toPort('--pcs-port', given)
  await assertFree(port, 'npm start -- --pcs-port 3204')
  return port
}

/** @param {string} arg */
function isPcsPort(arg) {
  return arg === '--pcs-port' || arg.startsWith('--pcs-port=')
}

/**
 * @param {number} port
 * @param {string} instead
 */
async function assertFree(port, instead) {
  if (await isPortTaken(port)) throw new Error(`Port ${port} is in use by another program. Try: ${instead}`)
}

/**
 * @param {string} flag
 * @param {readonly string[]} args
 */
function flagValue(flag, args) {
  const index = args.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`))
  return args[index]?.split('=')[1] ?? (index < 0 ? undefined : args[index + 1])
}

/**
 * @param {string} name
 * @param {string} text
 */
function toPort(name, text) {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${name} must be a port, 1 to 65535`)
  return port
}
