/*
 * The templates of this app. Ppoppo delivers templates, not texts: one is created once, and each send fills in its
 * placeholders. So they are created the first time they are needed, and their ids are remembered in our database.
 *
 * Three things can go wrong, and all three are handled here:
 *  - Two people send at once on the first day: one creation serves both.
 *  - The name is taken, and nobody remembers the id (a new database, a second deployment). Ppoppo's API creates
 *    templates and does not list them, so the id cannot be looked up: we take a name of our own beside it.
 *  - The id is remembered, and Ppoppo does not know it (another environment, a restarted sandbox): what was
 *    remembered is forgotten, and it is created again. `not_found` means that nothing was sent, so sending again is safe.
 *    It may also be about a recipient, and the error does not say which: so this happens once an hour at most.
 */
import { randomBytes } from 'node:crypto'
import { isPpoppoError, type Messaging, type TemplateComponent } from 'express-ppoppo'
import type Database from 'libsql'
import { member } from './row.js'

export type TemplateKey = 'note' | 'invitation' | 'poll'

export interface AppTemplate {
  /** At Ppoppo. What a template says cannot be changed, so a new text needs a new name: count it up. */
  readonly name: string
  readonly components: readonly TemplateComponent[]
}

const opening: TemplateComponent = { type: 'text', content: '{{from}} writes: {{message}}' }

export const TEMPLATES: Readonly<Record<TemplateKey, AppTemplate>> = {
  note: {
    name: 'example-app note 1',
    components: [opening],
  },
  invitation: {
    name: 'example-app invitation 1',
    components: [
      opening,
      { type: 'divider' },
      { type: 'button', label: 'See what it is about', url: 'https://example.com/' },
    ],
  },
  poll: {
    name: 'example-app lunch poll 1',
    components: [
      opening,
      { type: 'poll', question: 'What shall we have for lunch?', options: ['Bibimbap', 'Noodles', 'Pizza'] },
    ],
  },
}

export function isTemplateKey(value: unknown): value is TemplateKey {
  return typeof value === 'string' && Object.hasOwn(TEMPLATES, value)
}

export interface TemplateIds {
  /** Calls `send` with the template's id; once more, with a new one, should Ppoppo not know it. */
  use<T>(key: TemplateKey, messaging: Messaging, send: (templateId: string) => Promise<T>): Promise<T>
}

/*
 * Else everybody who writes to a number that is not there would leave a template at Ppoppo, where none can be removed. Not
 * "never one that has taken a send", which is as simple: a restarted sandbox forgets those too.
 */
const RENEW_EVERY_MS = 3_600_000

export interface TemplateIdsParts {
  readonly database: Database.Database
  readonly now?: () => number
}

export function createTemplateIds({ database, now = Date.now }: TemplateIdsParts): TemplateIds {
  database.exec('CREATE TABLE IF NOT EXISTS templates (name TEXT PRIMARY KEY, template_id TEXT NOT NULL) STRICT')
  const select = database.prepare('SELECT template_id FROM templates WHERE name = ?')
  const upsert = database.prepare(
    `INSERT INTO templates (name, template_id) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET template_id = excluded.template_id`,
  )
  // Only what another request has not replaced meanwhile.
  const remove = database.prepare('DELETE FROM templates WHERE name = ? AND template_id = ?')
  const underWay = new Map<string, Promise<string>>()
  /** When each was last forgotten. */
  const renewedAt = new Map<string, number>()

  function remembered(name: string): string | undefined {
    const id = member(select.get(name), 'template_id')
    return typeof id === 'string' ? id : undefined
  }

  function idOf(template: AppTemplate, messaging: Messaging): string | Promise<string> {
    const id = remembered(template.name)
    if (id !== undefined) return id
    const known = underWay.get(template.name)
    if (known !== undefined) return known
    const creation = registerTemplate(template, messaging)
      .then((id) => {
        upsert.run(template.name, id)
        return id
      })
      .finally(() => underWay.delete(template.name))
    underWay.set(template.name, creation)
    return creation
  }

  /** Unless it has been replaced, or one was forgotten within the hour. */
  function forget(name: string, id: string): void {
    if (remembered(name) !== id || now() - (renewedAt.get(name) ?? -Infinity) < RENEW_EVERY_MS) return
    renewedAt.set(name, now())
    remove.run(name, id)
  }

  return {
    async use(key, messaging, send) {
      const template = TEMPLATES[key]
      const id = await idOf(template, messaging)
      try {
        return await send(id)
      } catch (error) {
        if (!isPpoppoError(error, 'not_found')) throw error
        forget(template.name, id)
        const newId = await idOf(template, messaging)
        if (newId === id) throw error
        return send(newId)
      }
    },
  }
}

async function registerTemplate({ name, components }: AppTemplate, messaging: Messaging): Promise<string> {
  try {
    return (await messaging.templates.create({ name, components })).id
  } catch (error) {
    if (!isPpoppoError(error, 'template_name_taken')) throw error
    const ownName = `${name} ${randomBytes(4).toString('hex')}`
    return (await messaging.templates.create({ name: ownName, components })).id
  }
}
