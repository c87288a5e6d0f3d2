/*
 * One worker per list: `<progress file>.lock` is there while one runs, with its process id and machine in it. Two of them
 * would send everything twice, and write over each other's progress.
 *
 * A worker that was killed leaves its lock behind. Whether it is gone can only be known on its own machine: there the lock
 * is taken over, elsewhere (the list may lie on a shared disk) a person has to say so.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { codeOf, WrongInput } from './wrong-input.js'

/** @returns what gives the lock back. @throws WrongInput while another worker has it, or where it cannot be written */
export function lockList(progressFile: string): () => void {
  const file = `${progressFile}.lock`
  if (!create(file) && !(removeStale(file) && create(file))) {
    throw new WrongInput(`another worker is sending this list; if it died, remove ${file}`)
  }
  return () => rmSync(file, { force: true })
}

/** @returns false where it is there already */
function create(file: string): boolean {
  try {
    writeFileSync(file, `${process.pid} ${hostname()}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw new WrongInput(`Nothing was sent: ${file} cannot be written (${codeOf(error)}).`)
  }
}

/** Moved aside before it is removed: of two that take over at once, the second may have got the lock of the first. */
function removeStale(file: string): boolean {
  const aside = `${file}.${process.pid}`
  try {
    if (!isStale(readFileSync(file, 'utf8'))) return false
    renameSync(file, aside)
    const isOurs = isStale(readFileSync(aside, 'utf8'))
    if (!isOurs) linkSync(aside, file)
    rmSync(aside)
    return isOurs
  } catch (error) {
    // Gone meanwhile: given back, or another one takes it over. Whoever creates the new one has it.
    if (codeOf(error) === 'ENOENT') return true
    if (codeOf(error) !== undefined) return false
    throw error
  }
}

/** One that says something else, or nothing yet, is another's. */
function isStale(content: string): boolean {
  const [, pid = '', host] = /^([1-9]\d*) (.+)\n$/.exec(content) ?? []
  // Our own id, and not our lock: of a process before us, as in a container that was started again.
  return host === hostname() && (Number(pid) === process.pid || !isAlive(Number(pid)))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}
