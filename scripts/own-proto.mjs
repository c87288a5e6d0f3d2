/**
 * `node scripts/own-proto.mjs`: writes `proto/` as a part of the code, so that a bundle of an app has it. To be run after
 * a change of the .proto; a test compares the two.
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** @param {string} path */
const file = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
// proto-loader keeps its parser to itself.
const protobuf = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'))('protobufjs')

const root = new protobuf.Root()
root.loadSync(file('proto/ppoppo/external/v1/external.proto'), { keepCase: true })
writeFileSync(
  file('src/messaging/descriptor/own-proto.generated.ts'),
  `/**
 * Our transcription in \`proto/\`, as protobufjs writes one as JSON: in the code, since a bundle has no folder beside it.
 * Made by \`node scripts/own-proto.mjs\`; a test compares it with the .proto.
 */
export const OWN_PROTO =
  '${JSON.stringify(root.resolveAll().toJSON())}'
`,
)
