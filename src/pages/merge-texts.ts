import { PAGE_KINDS, type PageKind, type PageText, type PageTextOverrides, type PageTexts } from './texts.js'
import { en } from './texts-en.js'
import { ko } from './texts-ko.js'

/** Languages that come with the library. */
export const BUILT_IN_TEXTS: Readonly<Record<'en' | 'ko', PageTexts>> = { en, ko }

/** All texts by language; `en` is always there. */
export type TextsByLanguage = Readonly<Record<string, PageTexts>> & { readonly en: PageTexts }

/**
 * The texts by language: the built-in ones, with the app's over them. A language the library does not know takes what
 * the app leaves out from English.
 *
 * @example mergeTexts({ de: { signIn: 'Mit Ppoppo anmelden' } })['de']
 */
export function mergeTexts(overrides: Readonly<Record<string, PageTextOverrides>> = {}): TextsByLanguage {
  const merged: Record<string, PageTexts> & { en: PageTexts } = { ...BUILT_IN_TEXTS }
  // The built-in languages first: what an app says in `en` is then also what a new language falls back to.
  const languages = Object.keys(overrides).sort((a, b) => Number(b in BUILT_IN_TEXTS) - Number(a in BUILT_IN_TEXTS))
  for (const language of languages) {
    const given = overrides[language] ?? {}
    const base = merged[language] ?? (primarySubtag(language) === 'ko' ? (merged['ko'] ?? ko) : merged.en)
    merged[language] = { ...base, ...given, pages: mergePages(base, given) }
  }
  return merged
}

function mergePages(base: PageTexts, given: PageTextOverrides): Readonly<Record<PageKind, PageText>> {
  const pages: Record<PageKind, PageText> = { ...base.pages }
  for (const kind of PAGE_KINDS) pages[kind] = { ...base.pages[kind], ...given.pages?.[kind] }
  return pages
}

/** `ko-KR` speaks `ko`. */
function primarySubtag(language: string): string {
  return language.toLowerCase().split('-', 1)[0] ?? language
}
