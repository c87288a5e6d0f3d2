/**
 * Without the `character`s at its end. An expression such as `/=+$/` looks at every run of them in the text, again and
 * again.
 *
 * @example trimEndOf('aGk==', '=') // 'aGk'
 */
export function trimEndOf(text: string, character: string): string {
  let end = text.length
  while (end > 0 && text[end - 1] === character) end--
  return text.slice(0, end)
}
