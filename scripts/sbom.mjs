/**
 * `npm run --silent sbom [-- sandbox] > sbom.cdx.json`: what an install of the packed library brings, as a CycloneDX list. From
 * an install of the tarball, because that is what people get; and npm cannot list this tree, where the example app
 * depends on the root.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './check/run.mjs'
import { runToEnd, whenEnding } from './lib/processes.mjs'

await runToEnd(async () => {
  const workspace = process.argv[2] === 'sandbox' ? ['--workspace', 'ppoppo-sandbox'] : []
  const cwd = mkdtempSync(join(tmpdir(), 'ppoppo-sbom-'))
  whenEnding(() => rmSync(cwd, { recursive: true, force: true }))
  const packed = await must('npm', ['pack', '--json', ...workspace, '--pack-destination', cwd])
  /** @type {{ filename: string, name: string, version: string }[]} */
  const [entry] = Object.values(JSON.parse(packed.slice(packed.search(/^[[{]$/m))))
  if (entry === undefined) throw new Error(`npm pack answered ${packed}`)
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'install', version: '0.0.0', private: true }))
  const flags = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error']
  await must('npm', ['install', ...flags, `./${entry.filename}`], cwd)
  const sbom = JSON.parse(
    await must('npm', ['sbom', '--legacy-peer-deps', '--sbom-format=cyclonedx', '--sbom-type=library'], cwd),
  )
  console.log(JSON.stringify(toSbomOf(entry, sbom), null, 2))
  return 0
})

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} [cwd]
 */
async function must(command, args, cwd) {
  const { ok, stdout, output } = await run(command, args, cwd === undefined ? {} : { cwd })
  if (!ok) throw new Error(output)
  return stdout
}

/**
 * The list is about the package, not about the empty project it was installed into.
 * @param {{ name: string, version: string }} asked
 * @param {{ metadata: { component: object }, components: { name: string, 'bom-ref': string }[], dependencies: { ref: string }[] }} sbom
 */
function toSbomOf({ name, version }, sbom) {
  const component = sbom.components.find((one) => one.name === name)
  if (component === undefined) throw new Error(`${name} ${version} was not installed`)
  return {
    ...sbom,
    metadata: { ...sbom.metadata, component },
    components: sbom.components.filter((one) => one !== component),
    dependencies: sbom.dependencies.filter(({ ref }) => !ref.startsWith('install@')),
  }
}
