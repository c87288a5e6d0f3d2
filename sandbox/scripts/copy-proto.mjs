/** Part of the build: the sandbox has its own copy of the transcribed API, so that it works when installed alone. */
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const from = fileURLToPath(new URL('../../proto', import.meta.url))
const to = fileURLToPath(new URL('../dist/proto', import.meta.url))
cpSync(from, to, { recursive: true })
