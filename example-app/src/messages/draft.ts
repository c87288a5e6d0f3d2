/*
 * The form as somebody filled it in, and what is wrong with it. Whatever is wrong, the draft goes back into the form as
 * it was typed: nobody pastes two hundred numbers twice.
 */
import { parsePpnum } from 'express-ppoppo'
import type { Texts } from '../texts/texts.js'
import { isVisible } from '../visible.js'
import { isTemplateKey, type TemplateKey } from './templates.js'

export interface Draft {
  /** One for each form we hand out; see sends.ts. */
  readonly formId: string
  readonly template: TemplateKey
  readonly to: 'self' | 'numbers'
  readonly numbers: string
  readonly message: string
}

export interface DraftProblems {
  readonly message?: string
  /** One for each line that is wrong, or one about all of them. */
  readonly numbers?: readonly string[]
}

/** As many as one send takes. For more there is the worker: worker.ts. */
const MOST_NUMBERS = 1_000
const MOST_CHARACTERS = 500
/** Of a list that is wrong from top to bottom, the first lines show what is wrong. */
const MOST_BAD_LINES = 8

/** What a form is before anybody has touched it. */
export const emptyDraft = (formId: string): Draft => ({
  formId,
  template: 'note',
  to: 'self',
  numbers: '',
  message: '',
})

/** @param body what the form parser made of the request; a field that is missing is an empty one */
export function readDraft(body: unknown): Draft {
  const template = field(body, 'template')
  return {
    formId: field(body, 'form_id'),
    template: isTemplateKey(template) ? template : 'note',
    to: field(body, 'to') === 'numbers' ? 'numbers' : 'self',
    numbers: field(body, 'numbers').replaceAll('\r\n', '\n'),
    message: field(body, 'message').replaceAll('\r\n', '\n'),
  }
}

/** @default '' where the field is missing, or was sent twice */
export function field(body: unknown, name: string): string {
  if (typeof body !== 'object' || body === null) return ''
  const value: unknown = Reflect.get(body, name)
  return typeof value === 'string' ? value.normalize('NFC') : ''
}

/** To whom it goes, each number once; or what to fix first. */
export function checkDraft(
  draft: Draft,
  { compose: t }: Texts,
): { readonly ppnums: readonly string[] } | { readonly problems: DraftProblems } {
  const message = messageProblem(draft.message, t)
  const { ppnums, bad } = draft.to === 'numbers' ? readNumbers(draft.numbers, t) : { ppnums: [], bad: [] }
  if (message === undefined && bad.length === 0) return { ppnums }
  return { problems: { ...(message !== undefined && { message }), ...(bad.length > 0 && { numbers: bad }) } }
}

type Words = Texts['compose']

function messageProblem(message: string, t: Words): string | undefined {
  if (!isVisible(message)) return t.emptyMessage
  const { length } = [...message]
  return length > MOST_CHARACTERS ? t.longMessage(MOST_CHARACTERS, length) : undefined
}

function readNumbers(text: string, t: Words): { readonly ppnums: readonly string[]; readonly bad: readonly string[] } {
  const ppnums = new Set<string>()
  const bad: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    // As they come out of an address book: one per line, or a list. Also the comma of a Korean or Japanese keyboard.
    for (const entry of line.split(/[,;\t，、]/)) {
      if (entry.trim() === '') continue
      try {
        ppnums.add(parsePpnum(entry))
      } catch {
        bad.push(t.badNumber(index + 1, shorten(entry.trim())))
      }
    }
  }
  if (bad.length === 0 && ppnums.size === 0) bad.push(t.noNumbers)
  if (ppnums.size > MOST_NUMBERS) bad.push(t.manyNumbers(ppnums.size, MOST_NUMBERS))
  return { ppnums: [...ppnums], bad: firstOf(bad, t) }
}

function firstOf(bad: readonly string[], t: Words): readonly string[] {
  if (bad.length <= MOST_BAD_LINES) return bad
  return [...bad.slice(0, MOST_BAD_LINES), t.moreBadNumbers(bad.length - MOST_BAD_LINES)]
}

function shorten(text: string): string {
  const characters = [...text]
  return characters.length > 24 ? `${characters.slice(0, 24).join('')}…` : text
}
