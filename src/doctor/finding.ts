import { docsPage, docsUrl } from '../lib/docs-url.js'
import { type FindingCode, kindOf } from './catalogue.js'
import type { Diagnosis, Finding } from './types.js'

/** What a finding says besides its code. */
export interface FindingTexts {
  readonly what: string
  readonly why?: string
  readonly fix?: string
}

/** Codes of checks that an earlier failure prevented. */
export type NotCheckedCode = Extract<FindingCode, `${string}_not_checked`>

/** A finding. Its level and its page follow from the code. */
export function finding(code: FindingCode, { what, why = '', fix = '' }: FindingTexts): Finding {
  const { level } = kindOf(code)
  const hasPage = level !== 'ok' && !code.endsWith('_not_checked')
  return { code, level, what, why, fix, docsUrl: hasPage ? docsUrl('doctor', code) : docsPage('doctor') }
}

/** A check that could not run. @param what what is therefore not known @param because the codes to fix first */
export function notChecked(code: NotCheckedCode, what: string, because: readonly string[]): Finding {
  const causes = [...new Set(because)].join(', ')
  return finding(code, {
    what: `not checked: ${what}`,
    why: `It depends on what failed before: ${causes}.`,
    fix: `Fix ${causes}, then run this again.`,
  })
}

/** The codes of the errors among findings. */
export function errorsIn(findings: readonly Finding[]): readonly FindingCode[] {
  return findings.filter(({ level }) => level === 'error').map(({ code }) => code)
}

/** All findings with their worst level. */
export function toDiagnosis(findings: readonly Finding[]): Diagnosis {
  const level = (['error', 'warn'] as const).find((one) => findings.some((each) => each.level === one)) ?? 'ok'
  return { level, findings }
}
