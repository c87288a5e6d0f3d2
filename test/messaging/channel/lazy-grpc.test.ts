import { execFile } from 'node:child_process'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from '@jest/globals'
import { libraryForTests } from '../../support/built-library.js'

const run = promisify(execFile)
let library: string

beforeAll(async () => {
  library = await libraryForTests()
})

/** How many files of gRPC a process has loaded after `program`, in which `lib` is the folder of the library. */
async function loadedAfter(program: string): Promise<number> {
  const script = `
    import { createRequire } from 'node:module'
    const lib = ${JSON.stringify(library)}
    ${program}
    console.log(Object.keys(createRequire(import.meta.url).cache).filter((file) => /@grpc|protobufjs/.test(file)).length)`
  const args = ['--input-type=module', '-e', script]
  const { stdout } = await run(process.execPath, args, { env: { PATH: process.env['PATH'] } })
  return Number(stdout)
}

test('gRPC is loaded neither by importing the library nor by creating a client without credentials', async () => {
  expect(await loadedAfter(`await import(lib + '/index.js')`)).toBe(0)
  const program = `
    const { createMessaging } = await import(\`\${lib}/messaging/index.js\`)
    const messaging = createMessaging()
    await messaging.send({ templateId: 'tpl_1', recipients: [] }).catch(() => {})
    await messaging.health()
    await messaging.close()`
  expect(await loadedAfter(program)).toBe(0)
})

test('gRPC is loaded by the first call', async () => {
  // The copy of the library looks for the definition where the package has it.
  await symlink(fileURLToPath(new URL('../../../proto', import.meta.url)), join(library, '../proto')).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    },
  )
  const program = `
    const { createMessaging } = await import(\`\${lib}/messaging/index.js\`)
    const options = { clientId: 'a', clientSecret: 'b', apiUrl: 'http://localhost:1', tokenUrl: 'http://localhost:1/t' }
    const messaging = createMessaging(options)
    await messaging.status('snd_1').catch(() => {})
    await messaging.close()`
  expect(await loadedAfter(program)).toBeGreaterThan(10)
})
