import ts from 'typescript'
import { ROOT } from '../lib/build.mjs'
import { outcomeOf } from './run.mjs'

const LEAST_PERCENT = 95
const ENTRIES = ['src/index.ts', 'src/messaging/index.ts', 'src/testing/index.ts', 'src/observability/otel.ts']

/**
 * That the public surface is documented: every name an entry of the package exports, and every member of its types, has
 * a docstring. Lists the bare ones.
 *
 * @returns {import('./run.mjs').Outcome}
 */
export function checkDocumented() {
  const names = listPublicNames(ENTRIES.map((entry) => `${ROOT}/${entry}`))
  const bare = names.filter(({ isDocumented }) => !isDocumented)
  const percent = (100 * (names.length - bare.length)) / names.length
  const summary = `${names.length - bare.length} of ${names.length} public names and members are documented: ${percent.toFixed(1)} %`
  if (percent >= LEAST_PERCENT) return { ok: true, output: summary }
  const { output } = outcomeOf(bare.map(({ place, name }) => `${place} ${name}`))
  return { ok: false, output: `${output}\n${summary}, at least ${LEAST_PERCENT} % are wanted` }
}

/**
 * @param {readonly string[]} entries
 * @returns {{ place: string, name: string, isDocumented: boolean }[]}
 */
export function listPublicNames(entries) {
  const program = ts.createProgram([...entries], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    strict: true,
  })
  const checker = program.getTypeChecker()
  const found = new Map()
  for (const entry of entries) {
    const file = program.getSourceFile(entry)
    const module = file && checker.getSymbolAtLocation(file)
    if (!module) throw new Error(`${entry} cannot be read`)
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      for (const declaration of symbol.declarations ?? []) {
        if (isOurs(declaration)) collect(declaration, symbol.name, found)
      }
    }
  }
  return [...found.values()]
}

/** @param {ts.Node} node */
const isOurs = (node) => !node.getSourceFile().fileName.includes('node_modules')

/**
 * @param {ts.Node} declaration
 * @param {string} name
 * @param {Map<ts.Node, { place: string, name: string, isDocumented: boolean }>} found
 */
function collect(declaration, name, found) {
  const file = declaration.getSourceFile()
  const place = `${file.fileName.slice(ROOT.length + 1)}:${file.getLineAndCharacterOfPosition(declaration.getStart()).line + 1}`
  found.set(declaration, { place, name, isDocumented: isDocumented(declaration) })
  for (const member of membersOf(declaration)) {
    if (found.has(member) || isDiscriminant(member)) continue
    collect(member, `${name}.${member.name?.getText() ?? '(call)'}`, found)
  }
}

/** @param {ts.Node} node @returns {boolean} */
function isDocumented(node) {
  // Also finds the docstring of a `const`, which stands on its statement.
  return ts.getJSDocCommentsAndTags(node).some((doc) => ts.isJSDoc(doc) && Boolean(doc.comment || doc.tags?.length))
}

/**
 * The members of an interface, a class, or of the object types in a type, at any depth.
 *
 * @param {ts.Node} node
 * @returns {(ts.Node & { name?: ts.Node })[]}
 */
function membersOf(node) {
  if (ts.isInterfaceDeclaration(node))
    return [...node.members].filter((member) => !ts.isIndexSignatureDeclaration(member))
  if (ts.isClassDeclaration(node)) return node.members.filter(isPublic)
  if (ts.isTypeAliasDeclaration(node)) return literalsIn(node.type).flatMap(({ members }) => [...members])
  if (ts.isPropertySignature(node) && node.type) return literalsIn(node.type).flatMap(({ members }) => [...members])
  return []
}

/** @param {ts.ClassElement} member */
function isPublic(member) {
  if (!member.name || ts.isPrivateIdentifier(member.name)) return false
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return (ts.getCombinedModifierFlags(/** @type {ts.Declaration} */ (member)) & hidden) === 0
}

/** @param {ts.TypeNode} type @returns {ts.TypeLiteralNode[]} */
function literalsIn(type) {
  if (ts.isTypeLiteralNode(type)) return [type]
  if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) return type.types.flatMap(literalsIn)
  if (ts.isParenthesizedTypeNode(type) || ts.isTypeOperatorNode(type)) return literalsIn(type.type)
  return ts.isArrayTypeNode(type) ? literalsIn(type.elementType) : []
}

/** What names a variant of a union: `type: 'sign_in'` says all there is to say. @param {ts.Node} member */
function isDiscriminant(member) {
  return ts.isPropertySignature(member) && member.type !== undefined && ts.isLiteralTypeNode(member.type)
}
