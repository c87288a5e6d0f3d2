import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type Database from 'libsql'
import { createUsers, openDatabase, type Users } from '../src/users.js'

const ALEX = { sub: '01J9Z3K8Q2W4E6R8T0Y2V4X6A1', ppnum: '77700000001' }
const MINA = { sub: '01JAB5N7P9S1D3F5G7H9J1K3M2', ppnum: '77700000002' }

describe('the user table', () => {
  let folder: string
  let database: Database.Database
  let users: Users
  let now: Date

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'example-app-'))
    database = openDatabase(join(folder, 'deeper', 'example.db'))
    now = new Date('2026-01-02T03:04:05Z')
    users = createUsers({ database, now: () => now })
  })

  afterEach(() => {
    database.close()
    rmSync(folder, { recursive: true })
  })

  const rows = () =>
    database.prepare('SELECT ppnum_id, ppnum, display_name, created_at, last_sign_in_at FROM users').raw().all()

  test('has one row per sub, however often somebody signs in', () => {
    const first = users.findOrCreate(ALEX)
    const other = users.findOrCreate(MINA)
    expect(users.findOrCreate(ALEX)).toEqual(first)
    expect(other.id).not.toBe(first.id)
    expect(rows()).toHaveLength(2)
  })

  test('brings a changed ppnum and the last sign-in up to date, and keeps the rest', () => {
    const { id } = users.findOrCreate(ALEX)
    users.rename(id, 'Alex')
    now = new Date('2026-02-03T04:05:06Z')
    expect(users.findOrCreate({ ...ALEX, ppnum: '77799999999' })).toEqual({ id, displayName: 'Alex' })
    expect(rows()).toEqual([[ALEX.sub, '77799999999', 'Alex', '2026-01-02T03:04:05.000Z', '2026-02-03T04:05:06.000Z']])
  })

  test('makes two people of two subs with one ppnum: a number may be given to somebody else', () => {
    expect(users.findOrCreate(ALEX).id).not.toBe(users.findOrCreate({ ...MINA, ppnum: ALEX.ppnum }).id)
  })

  test('finds by id, and returns undefined if there is none', () => {
    const account = users.findOrCreate(ALEX)
    expect(users.find(account.id)).toEqual({ id: account.id, displayName: null })
    expect(users.find(account.id + 1)).toBeUndefined()
  })

  test('survives a restart', () => {
    const account = users.findOrCreate(ALEX)
    database.close()
    database = openDatabase(join(folder, 'deeper', 'example.db'))
    expect(createUsers({ database }).find(account.id)).toEqual(account)
  })

  test('has no column for an e-mail address or a token', () => {
    const columns = database.prepare("SELECT name FROM pragma_table_info('users')").raw().all().flat()
    expect(columns).toEqual(['id', 'ppnum_id', 'ppnum', 'display_name', 'created_at', 'last_sign_in_at'])
  })

  test('takes a display name as text, whatever is in it', () => {
    const { id } = users.findOrCreate(ALEX)
    users.rename(id, `Robert'); DROP TABLE users;--`)
    expect(users.find(id)?.displayName).toBe(`Robert'); DROP TABLE users;--`)
  })

  test('says in one line which file it cannot open', () => {
    expect(() => openDatabase(join(folder, 'deeper', 'example.db', 'no-folder.db'))).toThrow(
      /^cannot open the database .*EXAMPLE_DATABASE/,
    )
  })

  test('writes no e-mail address into the file', () => {
    // A caller that passes more than it should: only sub and ppnum are taken.
    users.findOrCreate({ ...ALEX, email: 'alex@example.test' } as typeof ALEX)
    const bytes = readdirSync(join(folder, 'deeper')).map((name) =>
      readFileSync(join(folder, 'deeper', name), 'latin1'),
    )
    expect(bytes.join('')).toContain(ALEX.sub)
    expect(bytes.join('')).not.toContain('alex@example.test')
  })
})
