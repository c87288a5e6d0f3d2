const UNITS = [
  { unit: 'day', seconds: 86_400 },
  { unit: 'hour', seconds: 3_600 },
  { unit: 'minute', seconds: 60 },
] as const

/**
 * Formats a duration for people in their language, in the largest unit of which it has at least two.
 *
 * @example formatDifference(90, 'en') // '90 seconds'
 * @example formatDifference(32_400, 'ko') // '9시간'
 */
export function formatDifference(seconds: number, language: string): string {
  const { unit, seconds: size } = UNITS.find((one) => seconds >= 2 * one.seconds) ?? { unit: 'second', seconds: 1 }
  const form = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 } as const
  return numberFormat(language, form).format(seconds / size)
}

/** `Intl` may not accept a language that the app has added. */
function numberFormat(language: string, form: Intl.NumberFormatOptions): Intl.NumberFormat {
  try {
    return new Intl.NumberFormat(language, form)
  } catch {
    return new Intl.NumberFormat('en', form)
  }
}
