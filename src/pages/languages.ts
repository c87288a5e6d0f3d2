import { PAGE_KINDS, type PageKind, type PageText, type PageTextOverrides, type PageTexts } from './text-types.js'
import { en } from './texts-en.js'
import { ko } from './texts-ko.js'

/** Texts by language, a BCP 47 tag; `en` is always present. */
export type TextsByLanguage = Readonly<Record<string, PageTexts>> & { readonly en: PageTexts }

/** The built-in languages. To add one, write its texts in a file beside `texts-en.ts` and list it here. */
export const LANGUAGES: TextsByLanguage = { en, ko }

/**
 * Merges the app's texts over the built-in ones. What a new language leaves out comes from the built-in language that it is
 * a variant of (`ko-KP` from `ko`), otherwise from English.
 *
 * @example mergeTexts({ de: { signIn: 'Mit Ppoppo anmelden' } })['de']
 */
export function mergeTexts(overrides: Readonly<Record<string, PageTextOverrides>> = {}): TextsByLanguage {
  const merged: Record<string, PageTexts> & { en: PageTexts } = { ...LANGUAGES }
  // The built-in languages first, because new languages fall back to what the app changed in them.
  const languages = Object.keys(overrides).sort((a, b) => Number(b in LANGUAGES) - Number(a in LANGUAGES))
  for (const language of languages) {
    const given = overrides[language] ?? {}
    const base = merged[language] ?? builtInBase(language, merged)
    merged[language] = { ...base, ...given, pages: mergePages(base, given) }
  }
  return merged
}

function builtInBase(language: string, merged: TextsByLanguage): PageTexts {
  const primary = language.toLowerCase().split('-', 1)[0] ?? language
  return (Object.hasOwn(LANGUAGES, primary) ? merged[primary] : undefined) ?? merged.en
}

function mergePages(base: PageTexts, given: PageTextOverrides): Readonly<Record<PageKind, PageText>> {
  const pages: Record<PageKind, PageText> = { ...base.pages }
  for (const kind of PAGE_KINDS) pages[kind] = { ...base.pages[kind], ...given.pages?.[kind] }
  return pages
}
