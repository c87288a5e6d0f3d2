import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { libraryForTests } from '../../../support/built-library.js'
import { OWN_PROTO } from '../../support/fake-pcs.js'
import { CLIENT } from '../../support/fake-token-endpoint.js'
import type { EventsWorld } from './world.js'

const BEFORE = `
const [, library, options] = process.argv
const { createMessaging } = await import(library)
const messaging = createMessaging(JSON.parse(options))
`
// A server of Node's, once it has had too many resets, never closes its side of a connection; that would be waited for.
const AFTER = `
await messaging.close()
process.exit()
`

/**
 * Runs a program in a process of its own, so that what it needs of memory is the client's alone.
 * @param program has `messaging` and `gc`, and logs one line of JSON
 */
export async function runChild(world: EventsWorld, program: string): Promise<unknown> {
  const file = join(await libraryForTests(), 'messaging', 'index.js')
  const options = { apiUrl: world.pcs.url, tokenUrl: world.pas.url, descriptor: OWN_PROTO, ...CLIENT }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', `${BEFORE}${program}${AFTER}`, file, JSON.stringify(options)],
    { env: { ...process.env, NODE_OPTIONS: '' } },
  )
  return JSON.parse(stdout)
}
