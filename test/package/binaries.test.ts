import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { findBinary, findChromium, findRedisServer } from '../../scripts/lib/find-binary.mjs'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-binaries-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function program(name: string, mode = 0o755): string {
  const path = join(folder, name)
  writeFileSync(path, '#!/bin/sh\n')
  chmodSync(path, mode)
  return path
}

test('a program is found on PATH, in the order of the names, not of the folders', () => {
  const second = program('second')
  expect(findBinary(['first', 'second'], { PATH: `/nowhere:${folder}` })).toBe(second)
  const first = program('first')
  expect(findBinary(['first', 'second'], { PATH: folder })).toBe(first)
})

test('what cannot be run is not found: a folder, a file without the right, an empty PATH', () => {
  mkdirSync(join(folder, 'redis-server'))
  program('valkey-server', 0o644)
  expect(findRedisServer({ PATH: folder })).toBeUndefined()
  expect(findRedisServer({})).toBeUndefined()
})

test('Valkey does where there is no Redis', () => {
  const valkey = program('valkey-server')
  expect(findRedisServer({ PATH: folder })).toBe(valkey)
})

test('CHROMIUM_BIN and REDIS_SERVER_BIN are taken, and nothing else, even where they name nothing', () => {
  const mine = program('my-chrome')
  program('chromium')
  expect(findChromium({ PATH: folder, CHROMIUM_BIN: mine })).toBe(mine)
  expect(findChromium({ PATH: folder, CHROMIUM_BIN: '/nowhere/chrome' })).toBeUndefined()
  expect(findRedisServer({ PATH: folder, REDIS_SERVER_BIN: '/nowhere/redis' })).toBeUndefined()
})
