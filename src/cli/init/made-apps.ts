/** An Express app, or a Nest app, that a file makes and gives a name. */
export interface MadeApp {
  /** As the file calls it: `app`, `this.app`. */
  readonly name: string
  /** Where the statement names it, and where the expression that makes it ends or, if `isOpen`, its arguments begin. */
  readonly start: number
  readonly end: number
  /** `NestFactory.create(`, whose arguments follow. */
  readonly isOpen: boolean
}

/** In masked text: a name, perhaps its type, and what makes the app. The name of a package is blank. */
const MADE =
  /(?:\b(?:const|let|var)\s{1,9})?(?<![\w$.])((?:[A-Za-z_$][\w$]{0,60}\.){0,3}[A-Za-z_$][\w$]{0,60})\s{0,9}(?::\s{0,9}[\w.]{1,60}(?:<[\w.]{1,60}>)?\s{0,9})?=\s{0,9}(?:[\w$.]{1,60}\s{0,9}=\s{0,9})?(?:([A-Za-z_$][\w$]{0,60})(?:\.default)?\(\s{0,9}\)|require\(\s{0,9}['"]\s{0,60}['"]\s{0,9}\)\(\s{0,9}\)|await\s{1,9}NestFactory\s{0,9}\.\s{0,9}create\s{0,9}(?:<\s{0,9}[\w.]{1,60}\s{0,9}>\s{0,9})?\()/g

/**
 * Every app that a file makes, in order: the one place that knows how one is made.
 *
 * @param masked the source, by `maskSource`
 */
export function findMadeApps(source: string, masked: string): readonly MadeApp[] {
  const factories = namesOfExpress(source)
  return [...masked.matchAll(MADE)].flatMap((match) => {
    const [text, name = '', factory] = match
    const start = match.index
    const end = start + text.length
    const isOpen = text.includes('NestFactory')
    const isExpress =
      factory === undefined ? /require\(\s{0,9}['"]express['"]/.test(source.slice(start, end)) : factories.has(factory)
    return isOpen || isExpress ? [{ name, start, end, isOpen }] : []
  })
}

/** What the file calls the package: `express`, or as it imports it. */
function namesOfExpress(source: string): ReadonlySet<string> {
  const imports = source.matchAll(
    /\b(?:import|const|let|var)\s{1,9}(?:\*\s{1,9}as\s{1,9})?([A-Za-z_$][\w$]{0,60})(?:\s{0,9},\s{0,9}\{[^}]{0,500}\})?\s{0,9}(?:from|=\s{0,9}(?:\w{1,60}\()?require\()\s{0,9}['"]express['"]/g,
  )
  return new Set(['express', ...[...imports].map(([, name = '']) => name)])
}
