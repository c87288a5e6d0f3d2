/*
 * Forms that came back: what somebody typed, and what was in the way, until the form is sent.
 *
 * A form with a mistake in it is answered by a redirect to its own address, `/messages?form=<id>`, as every POST here is:
 * a page that answers a POST itself would be sent again by a reload, and asked about by the back button. So what was
 * typed is kept for a day. It holds the numbers somebody pasted, and goes with the send.
 */
import type Database from 'libsql'
import type { Draft, DraftProblems } from './draft.js'
import type { Trouble } from './explain.js'
import { member } from './row.js'

/** A form as it is shown. */
export interface Form {
  readonly draft: Draft
  readonly problems?: DraftProblems
  /** Why it was not sent. */
  readonly trouble?: Trouble
}

export interface Drafts {
  save(accountId: number, form: Form): void
  /** `undefined` for one that is somebody else's, too. */
  find(accountId: number, formId: string): Form | undefined
  remove(accountId: number, formId: string): void
}

export const DRAFTS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS drafts (
    account_id INTEGER NOT NULL,
    form_id    TEXT NOT NULL,
    form       TEXT NOT NULL,
    saved_at   TEXT NOT NULL,
    PRIMARY KEY (account_id, form_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS drafts_by_age ON drafts (saved_at)`

export interface DraftsParts {
  readonly database: Database.Database
  readonly now: () => Date
}

export function createDrafts({ database, now }: DraftsParts): Drafts {
  const save = database.prepare(
    `INSERT INTO drafts (account_id, form_id, form, saved_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (account_id, form_id) DO UPDATE SET form = excluded.form, saved_at = excluded.saved_at`,
  )
  const find = database.prepare('SELECT form FROM drafts WHERE account_id = ? AND form_id = ?')
  const remove = database.prepare('DELETE FROM drafts WHERE account_id = ? AND form_id = ?')
  return {
    save: (accountId, form) => void save.run(accountId, form.draft.formId, JSON.stringify(form), now().toISOString()),
    find(accountId, formId) {
      const text = member(find.get(accountId, formId), 'form')
      return typeof text === 'string' ? toForm(text) : undefined
    },
    remove: (accountId, formId) => void remove.run(accountId, formId),
  }
}

/** Written by `save` alone, so only the date needs a look: JSON has none. */
function toForm(text: string): Form {
  const form = JSON.parse(text) as Form
  const { trouble } = form
  if (trouble?.tryAgainAt === undefined) return form
  return { ...form, trouble: { ...trouble, tryAgainAt: new Date(trouble.tryAgainAt) } }
}
