/*
 * Your own user table: the part of "Sign in with Ppoppo" that is yours.
 *
 * Three rules of Ppoppo's user mapping guide are visible in the columns:
 *  - `ppnum_id` (the `sub` claim) is the key. It never changes. A Ppoppo number can, so `ppnum` is only kept to show it,
 *    and is brought up to date at each sign-in.
 *  - No e-mail address. It belongs to Ppoppo, and it changes there. Ask `req.ppoppo.userinfo()` when you need it.
 *  - No tokens. The library keeps them, encrypted, with the sign-in they belong to; signing out deletes them. One person
 *    may be signed in in three browsers, with three refresh tokens: a column here could hold only one.
 *
 * `display_name` is ours: Ppoppo has no user names.
 *
 * Swap libsql for the database you have. What must stay is that find-or-create is ONE statement on a UNIQUE column:
 * somebody who signs in in two tabs at once must not become two people.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { PpoppoUser } from 'express-ppoppo'
import Database from 'libsql'

/** What the rest of the app knows about a person: enough to find the row, and what to call them. */
export interface Account {
  readonly id: number
  /** `null` until the person chooses one. */
  readonly displayName: string | null
}

export interface Users {
  /** One row per `sub`, however often and from wherever they sign in. */
  findOrCreate(user: PpoppoUser): Account
  find(id: number): Account | undefined
  rename(id: number, displayName: string | null): void
}

// "IF NOT EXISTS" is migration enough for one table. When a second version comes along, use a migration tool.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id              INTEGER PRIMARY KEY,
    ppnum_id        TEXT NOT NULL UNIQUE,
    ppnum           TEXT NOT NULL,
    display_name    TEXT,
    created_at      TEXT NOT NULL,
    last_sign_in_at TEXT NOT NULL
  ) STRICT`

/** Opens the file, and makes its folder where there is none. `:memory:` lives as long as the process. */
export function openDatabase(file: string): Database.Database {
  try {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true })
    const database = new Database(file)
    // Instances of this app on one machine may share the file: who writes waits for another writer, and with a
    // write-ahead log nobody who reads waits at all. What is written is on the disk before the statement ends
    // (`synchronous` stays at its default, FULL): an event that counts as handled must not be gone after a power cut.
    database.pragma('busy_timeout = 5000')
    database.pragma('journal_mode = WAL')
    database.exec(SCHEMA)
    return database
  } catch (error) {
    throw new Error(`cannot open the database ${file}: check EXAMPLE_DATABASE and who may write there`, {
      cause: error,
    })
  }
}

export interface UsersParts {
  readonly database: Database.Database
  readonly now?: () => Date
}

export function createUsers({ database, now = () => new Date() }: UsersParts): Users {
  const upsert = database.prepare(
    `INSERT INTO users (ppnum_id, ppnum, created_at, last_sign_in_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (ppnum_id) DO UPDATE SET ppnum = excluded.ppnum, last_sign_in_at = excluded.last_sign_in_at
     RETURNING id, display_name`,
  )
  const select = database.prepare('SELECT id, display_name FROM users WHERE id = ?')
  const update = database.prepare('UPDATE users SET display_name = ? WHERE id = ?')
  return {
    findOrCreate(user) {
      const at = now().toISOString()
      return toAccount(upsert.get(user.sub, user.ppnum, at, at))
    },
    find(id) {
      const row = select.get(id)
      return row === undefined ? undefined : toAccount(row)
    },
    rename(id, displayName) {
      update.run(displayName, id)
    },
  }
}

/** Rows are `unknown` until checked: the driver cannot know our schema. */
function toAccount(row: unknown): Account {
  if (!isRow(row)) throw new Error('the users table is not the one this app made')
  return { id: row.id, displayName: row.display_name }
}

function isRow(row: unknown): row is { id: number; display_name: string | null } {
  if (typeof row !== 'object' || row === null || !('id' in row) || !('display_name' in row)) return false
  return typeof row.id === 'number' && (row.display_name === null || typeof row.display_name === 'string')
}
