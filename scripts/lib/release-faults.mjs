/**
 * What is needed to say whether a version may be published.
 * @typedef {object} Release
 * @property {Readonly<Record<string, unknown>>} manifest package.json
 * @property {string} changelog
 * @property {string} tag the tag that the version must have, e.g. `v0.2.0`
 * @property {readonly string[]} tags of the commit
 * @property {readonly string[]} changedFiles what is not committed
 */

const HOW = 'set it in package.json to the public address of this repository, e.g. with "npm pkg set"'

/**
 * Why a version may not be published, one line each, with what to do; none if it may.
 * @param {Release} release
 * @returns {string[]}
 */
export function releaseFaults({ manifest, changelog, tag, tags, changedFiles }) {
  const version = String(manifest['version'])
  return [
    ...addressFaults(manifest),
    ...(tags.includes(tag) ? [] : [`the commit has no tag ${tag}: git tag ${tag}`]),
    ...(changedFiles.length === 0 ? [] : [`not committed: ${changedFiles.join(', ')}`]),
    ...(sectionOf(changelog, version) ? [] : [`CHANGELOG.md has no section "## ${version}": rename "## Unreleased"`]),
    ...(sectionOf(changelog, 'Unreleased') ? ['CHANGELOG.md still has a section "## Unreleased"'] : []),
  ]
}

/**
 * The registry shows these, and provenance compares `repository` with where the package was built. They are left out
 * until there is an address, because a made-up one would lead people to whoever owns it.
 * @param {Readonly<Record<string, unknown>>} manifest
 */
function addressFaults({ repository, homepage, bugs }) {
  const given = { repository: Object(repository).url ?? repository, homepage, bugs: Object(bugs).url ?? bugs }
  return Object.entries(given).flatMap(([name, url]) => (isPublic(url) ? [] : [`"${name}" has no public URL: ${HOW}`]))
}

/** @param {unknown} url */
function isPublic(url) {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return /^(git[+])?https:$/.test(protocol) && /[.]/.test(hostname) && !/[.](example|invalid|test)$/.test(hostname)
}

/**
 * @param {string} changelog
 * @param {string} title
 */
function sectionOf(changelog, title) {
  return changelog.split(/^## /m).some((part) => part.split('\n')[0]?.split(' ')[0] === title)
}
