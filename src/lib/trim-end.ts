/**
 * Removes each `character` from the end. Linear, unlike `/=+$/`, which backtracks on every run of them in the text.
 *
 * @example trimEndOf('aGk==', '=') // 'aGk'
 */
export function trimEndOf(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end--
  return text.slice(0, end)
}
