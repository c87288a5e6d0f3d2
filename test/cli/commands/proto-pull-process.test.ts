import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { libraryForTests } from '../../support/built-library.js'

let library: string
let folder: string
let silent: Server
const sockets: Socket[] = []
beforeAll(async () => {
  library = await libraryForTests()
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-pull-'))
  silent = createServer((socket) => void sockets.push(socket.on('error', () => {})))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  rmSync(folder, { recursive: true, force: true })
})

function pull(
  scheme: string,
  ...more: string[]
): { child: ChildProcess; ended: Promise<unknown[]>; err: () => string } {
  // By name: from Node 26 on, TLS takes no IP address for the name of a server.
  const url = `${scheme}://localhost:${(silent.address() as AddressInfo).port}`
  const args = [join(library, 'cli/main.js'), 'proto', 'pull', url, ...more]
  const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] } })
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  return { child, ended: once(child, 'close'), err: () => err }
}

test.each(['http', 'https'])('proto pull exits although a silent peer over %s never answers', async (scheme) => {
  const { ended, err } = pull(scheme, '--timeout', '0.5')
  expect(await ended).toEqual([3, null])
  expect(err()).toMatch(/^express-ppoppo proto pull: no answer from .* within 0\.5 s\. [^\n]*\n$/)
})

test('SIGINT stops proto pull at once, and nothing is written', async () => {
  const { child, ended, err } = pull('https')
  await once(silent, 'connection')
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(err()).toBe('express-ppoppo proto pull: interrupted; nothing was written\n')
  expect(existsSync(join(folder, 'ppoppo.desc'))).toBe(false)
})
