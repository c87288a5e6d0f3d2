/** Before these, a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|new))\s*$/

/**
 * A copy of JavaScript or TypeScript of the same length, in which what is in comments, strings, templates and regular
 * expressions is blank: what is left can be searched, and its brackets match. Quotes and line breaks stay.
 */
export function maskSource(source: string): string {
  let masked = source.startsWith('#!') ? blank(source.slice(0, endOfLine(source, 0))) : ''
  /** One entry for each template that an expression is inside of: how many braces are open in it. */
  const templates: number[] = []
  while (masked.length < source.length) {
    const at = masked.length
    const open = templates.at(-1)
    const character = source.charAt(at)
    if (open === 0 && character === '}') {
      templates.pop()
      masked += `}${maskTemplate(source, at + 1, templates)}`
      continue
    }
    if (open !== undefined && (character === '{' || character === '}')) {
      templates[templates.length - 1] = open + (character === '{' ? 1 : -1)
    }
    masked += character === '`' ? `\`${maskTemplate(source, at + 1, templates)}` : maskToken(source, at, masked)
  }
  return masked
}

/** One comment, string or regular expression, masked; or one character as it is. */
function maskToken(source: string, at: number, before: string): string {
  const character = source.charAt(at)
  const two = source.slice(at, at + 2)
  if (two === '//') return blank(source.slice(at, endOfLine(source, at)))
  if (two === '/*') return blank(source.slice(at, endAfter(source, at + 2, '*/')))
  if (character === '"' || character === "'") return quoted(source, at, endOfString(source, at))
  if (character === '/' && BEFORE_REGEX.test(before.slice(-40))) return quoted(source, at, endOfRegex(source, at))
  return character
}

/** From behind its opening quote or an expression, up to its end or the next `${`, which counts as an open brace. */
function maskTemplate(source: string, from: number, templates: number[]): string {
  for (let at = from; at < source.length; at++) {
    if (source.charAt(at) === '\\') at++
    else if (source.charAt(at) === '`') return `${blank(source.slice(from, at))}\``
    else if (source.startsWith('${', at)) {
      templates.push(0)
      return `${blank(source.slice(from, at))} {`
    }
  }
  return blank(source.slice(from))
}

function endOfString(source: string, from: number): number {
  const quote = source.charAt(from)
  for (let at = from + 1; at < source.length; at++) {
    if (source.charAt(at) === '\\') at++
    else if (source.charAt(at) === quote || source.charAt(at) === '\n') return at + 1
  }
  return source.length
}

function endOfRegex(source: string, from: number): number {
  let isInClass = false
  for (let at = from + 1; at < source.length; at++) {
    const character = source.charAt(at)
    if (character === '\\') at++
    else if (character === '\n') return at
    else if (character === '[') isInClass = true
    else if (character === ']') isInClass = false
    else if (character === '/' && !isInClass) return at + 1
  }
  return source.length
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf('\n', from)
  return end < 0 ? source.length : end
}

function endAfter(source: string, from: number, mark: string): number {
  const end = source.indexOf(mark, from)
  return end < 0 ? source.length : end + mark.length
}

/** Its first and last character stay, unless the last is a line break. */
function quoted(source: string, from: number, to: number): string {
  const text = source.slice(from, to)
  return text.length < 2 ? text : `${text.charAt(0)}${blank(text.slice(1, -1))}${text.at(-1) ?? ''}`
}

function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ')
}
