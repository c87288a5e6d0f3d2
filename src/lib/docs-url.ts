/**
 * Where the documentation of this package is, as a Package URL (ECMA-427): the pages are files of the package itself, so
 * `pkg:npm/express-ppoppo#docs/errors/closed.md` is `node_modules/express-ppoppo/docs/errors/closed.md`. It needs no host that
 * may move or lapse, names no version (clients compare the `type` of a problem), and does not reveal where this server keeps its
 * files, as a `file:` URL would.
 */
const DOCS_HOME = 'pkg:npm/express-ppoppo#docs/'

/** Folders of `docs/` with a page for each code: errors and problems, refused sign-ins, findings of the doctor. */
export type DocsFolder = 'errors' | 'refusals' | 'doctor'

/** The URL of the page about a code: `docsUrl('errors', 'closed')` is `docs/errors/closed.md`. */
export function docsUrl(folder: DocsFolder, code: string): string {
  return `${DOCS_HOME}${folder}/${code}.md`
}

/** The URL of a page of its own: `docsPage('doctor')` is `docs/doctor.md`. */
export function docsPage(name: string): string {
  return `${DOCS_HOME}${name}.md`
}
