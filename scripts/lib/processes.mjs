import { spawn } from 'node:child_process'

/** Longer than the example app gives its open requests. */
const GRACE_MS = 12_000
/** @type {Map<import('node:child_process').ChildProcess, boolean>} children that run, and whether each leads a group */
const running = new Map()
/** @type {(() => unknown)[]} */
const atEnd = []
/** @type {Promise<void> | undefined} */
let ending

/**
 * Starts a child that is ended with this process. With `group`, what the child itself started is ended too.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions & { group?: boolean }} [options]
 */
export function start(command, args, { group = false, ...options } = {}) {
  const leads = group && process.platform !== 'win32'
  const child = spawn(command, args, { stdio: 'inherit', ...options, detached: leads })
  running.set(child, leads)
  child.once('close', () => running.delete(child))
  child.once('error', () => running.delete(child))
  return child
}

/**
 * How a child ended: its exit code, or 1 where a signal or a failed start ended it.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
export function exitCodeOf(child) {
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(code ?? 1))
    child.once('error', () => resolve(1))
  })
}

/**
 * Also done when all is ended: remove a folder, stop a container.
 * @param {() => unknown} work
 */
export function whenEnding(work) {
  atEnd.push(work)
}

/** Ends what `start` started and nothing else: SIGTERM, and SIGKILL where that is not heard. */
export function endAll() {
  ending ??= (async () => {
    await Promise.all([...running].map(([child, leads]) => end(child, leads)))
    for (const work of atEnd.reverse()) await work()
  })()
  return ending
}

/**
 * Runs `main`, and sees to it that no child outlives this process: not when it fails, is interrupted or terminated,
 * nor when npm, which started it, is killed.
 * @param {() => Promise<number>} main
 */
export async function runToEnd(main) {
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    process.on(signal, () => void leave(code))
  }
  if (process.env['npm_lifecycle_event'] !== undefined) watchParent()
  try {
    await leave(await main())
  } catch (error) {
    // Asked to end, what is running ends: that is no news.
    if (ending !== undefined) return
    console.error(error instanceof Error ? error.message : String(error))
    await leave(1)
  }
}

/** @param {number} code */
async function leave(code) {
  await endAll()
  process.exit(code)
}

function watchParent() {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) void leave(143)
  }, 1_000).unref()
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {boolean} leads
 */
async function end(child, leads) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const closed = new Promise((resolve) => child.once('exit', resolve))
  send(child.pid, leads, 'SIGTERM')
  const timer = setTimeout(() => send(child.pid, leads, 'SIGKILL'), GRACE_MS)
  await closed
  clearTimeout(timer)
  // A leader that went quickly may have left members of its group behind.
  if (leads) send(child.pid, leads, 'SIGKILL')
}

/**
 * @param {number | undefined} pid
 * @param {boolean} leads
 * @param {NodeJS.Signals} signal
 */
function send(pid, leads, signal) {
  if (pid === undefined) return
  try {
    process.kill(leads ? -pid : pid, signal)
  } catch {
    // Already gone.
  }
}
