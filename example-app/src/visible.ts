/* Texts from outside: whether anybody can see them, and how to print them where escape sequences are obeyed. */

// Letters and signs to Unicode, and blank all the same: the Hangul fillers and the empty Braille cell.
const BLANK = /[\u115f\u1160\u3164\uffa0\u2800]/g
const INVISIBLE_ONLY = /^[^\p{L}\p{N}\p{P}\p{S}]*$/u

/** Whether there is something to read in it. Zero-width spaces alone are nothing. */
export function isVisible(text: string): boolean {
  return !INVISIBLE_ONLY.test(text.replace(BLANK, ''))
}

/** For a terminal: control and formatting characters become what one would type for them, `\u001b`. */
export function toPrintable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}
