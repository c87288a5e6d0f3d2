import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Sandbox, startSandbox } from 'ppoppo-sandbox'
import { run } from '../../../src/cli/commands.js'
import { OWN_PROTO } from '../../messaging/support/fake-pcs.js'
import {
  permuted,
  type ReflectingOptions,
  startReflectingPcs,
  writeProto,
} from '../../messaging/support/reflecting-pcs.js'

let folder: string
let out: string
const closers: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ppoppo-pull-'))
  out = join(folder, 'ppoppo.desc')
})
afterEach(() => {
  for (const close of closers.splice(0)) close()
  rmSync(folder, { recursive: true, force: true })
})

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: readonly string[]
}

async function pull(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const printed: string[] = []
  const err: string[] = []
  const io = {
    print: (line: string) => void printed.push(line),
    printError: (line: string) => void err.push(line),
    env,
    now: () => new Date(),
  }
  const code = await run(['proto', ...args], io)
  return { code, out: printed.join('\n'), err }
}

/** A server of our proto, changed. */
async function serve(change: (text: string) => string, options: ReflectingOptions = {}) {
  const proto = writeProto(change)
  const pcs = await startReflectingPcs(proto.file, options)
  closers.push(() => pcs.close(), proto.dispose)
  return pcs
}

const filesIn = (): string[] => readdirSync(folder).sort()

describe('proto pull from the sandbox', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await startSandbox({ pasPort: 0, pcsPort: 0 })
  })
  afterAll(() => sandbox.close())

  test.each(['', '/ext', '/ext/'])('under the path "%s" there is no difference', async (path) => {
    const url = `${sandbox.pcs?.url}${path}`
    const { code, out: printed, err } = await pull(['pull', url, '--out', out])
    expect({ code, err }).toEqual({ code: 0, err: [] })
    expect(printed).toContain('2 files by grpc.reflection.v1\n')
    expect(printed).toContain(`No difference matters: the client works as it is, and also with descriptor: '${out}'`)
    expect(printed).not.toMatch(/missing|more|ours/)
    expect(filesIn()).toEqual(['ppoppo.desc'])
    expect(await pull(['pull', url, '--out', out])).toMatchObject({ code: 0 })
  })

  test('a wrong path is reported in one line', async () => {
    const { code, err } = await pull(['pull', `${sandbox.pcs?.url}/api`, '--out', out])
    expect(code).toBe(3)
    expect(err).toEqual([
      expect.stringMatching(
        /^express-ppoppo proto pull: no gRPC server reflection at .*\/api.*Check the path of the URL/,
      ),
    ])
    expect(filesIn()).toEqual([])
  })
})

describe('proto pull and differences', () => {
  test('different field numbers and packages matter, and the pulled file fixes them', async () => {
    const { code, out: printed, err } = await pull(['pull', (await serve(permuted)).url, '--out', out])
    expect(code).toBe(1)
    expect(err).toEqual([
      `express-ppoppo proto pull: the built-in definition does not match this server; configure the client with the server's own: descriptor: '${out}'`,
    ])
    expect(printed).toContain('\npackage\n  ! pcs.external.v1, ours chat.external\n')
    expect(printed).toContain(
      '\nmessage CreateSendRequestReq\n  ! template_id = 27, ours = 1\n  ! recipients = 34, ours = 2\n',
    )
    expect(printed).toContain('\nmessage RecipientInput\n  ! ppnum = 27, ours = 1\n')
    expect(printed).toContain('\nenum SendRequestStatus\n  ! QUEUED = 27, ours = 1\n')
    expect(printed).not.toContain('missing')
  })

  test('additions do not matter', async () => {
    const {
      code,
      out: printed,
      err,
    } = await pull([
      'pull',
      (
        await serve((text) =>
          text
            .replace('rpc GetAppStats(', 'rpc DeleteApp(GetAppStatsReq) returns (GetAppStatsResp);\n  rpc GetAppStats(')
            .replace('PollConfig poll_config = 3;', 'PollConfig poll_config = 3; string idempotency_key = 9;')
            .replace('  POLL = 4;', '  POLL = 4; VIDEO = 6;')
            .replace('message PollConfig', 'message Unrelated {}\nenum Colour { NO_COLOUR = 0; }\nmessage PollConfig')
            .replaceAll('GetPollResultsReq', 'GetPollResultsRequest')
            .replace('optional string message_id', 'string message_id'),
        )
      ).url,
      '--out',
      out,
    ])
    expect({ code, err }).toEqual({ code: 0, err: [] })
    for (const line of [
      'service ExternalAppService\n    more methods: DeleteApp',
      'message CreateSendRequestReq\n    more fields: idempotency_key = 9',
      'enum TemplateComponentType\n    more values: VIDEO = 6',
      'message GetPollResultsReq\n    is called GetPollResultsRequest',
      'message SendRequestEventRecipient\n    message_id is not optional, ours is',
      'more messages: Unrelated',
      'more enums: Colour',
      '0 matter (!), 7 do not',
    ]) {
      expect(printed).toContain(line)
    }
  })

  test('members that are missing, of another type, repeated or streaming matter, and calls that cannot work are named', async () => {
    const { url } = await serve((text) =>
      text
        .replace('repeated RecipientInput recipients = 2;', 'RecipientInput recipients = 2;')
        .replace('string template_id = 1;', 'int32 template_id = 1;')
        .replace('  string ppnum = 1;\n  // Values', '  string phone = 1;\n  // Values')
        .replace(
          'rpc GetAppStats(GetAppStatsReq) returns (GetAppStatsResp)',
          'rpc GetAppStats(GetAppStatsReq) returns (stream GetAppStatsResp)',
        )
        .replace('rpc GetPollResults(GetPollResultsReq) returns (GetPollResultsResp);', '')
        .replace('  IMAGE = 5;', '')
        .replace('string created_at = 5', 'google.protobuf.Timestamp created_at = 5')
        .replace('import "google', 'import "google/protobuf/timestamp.proto";\nimport "google'),
    )
    const { code, out: printed, err } = await pull(['pull', url, '--out', out])
    expect(code).toBe(1)
    for (const line of [
      '! recipients is not repeated, ours is',
      '! template_id is int32, ours string',
      'message RecipientInput\n  ! ppnum is missing\n    more fields: phone = 1',
      '! GetAppStats is server streaming, ours unary',
      '! GetPollResults is missing',
      '! IMAGE is missing',
      '! created_at is google.protobuf.Timestamp, ours string',
    ]) {
      expect(printed).toContain(line)
    }
    expect(err).toEqual([expect.stringContaining('Even so, these calls do not work')])
    expect(err[0]).toMatch(/getPollResults \(has no method pcs|getPollResults \(has no method chat.external/)
  })
})

describe('proto pull and a server', () => {
  test('that only supports the older reflection service is asked through it', async () => {
    const { code, out: printed } = await pull([
      'pull',
      (await serve(String, { version: 'v1alpha', prefix: '/ext' })).url,
      '--out',
      out,
    ])
    expect(code).toBe(0)
    expect(printed).toContain('grpc.reflection.v1alpha')
  })

  test('without reflection is reported in one line', async () => {
    const { code, err } = await pull(['pull', (await serve(String, { version: 'none' })).url, '--out', out])
    expect(code).toBe(3)
    expect(err).toEqual([expect.stringContaining('no gRPC server reflection at')])
  })

  test('with other services is reported with their names', async () => {
    const { url } = await serve((text) => text.replace('package chat.external', 'package acme.shop'))
    const { code, err } = await pull(['pull', url, '--out', out])
    expect(code).toBe(3)
    expect(err).toEqual([
      expect.stringMatching(/no service of chat.external or pcs.external.v1 is there, only acme\.shop\./),
    ])
    expect(filesIn()).toEqual([])
  })

  test('that requires a token gets the app’s, or the one named by --token', async () => {
    const sandbox = await startSandbox({ pasPort: 0 })
    closers.push(() => void sandbox.close())
    const { url } = await serve(String, { token: 'secret-token-1' })
    expect(await pull(['pull', url, '--out', out])).toMatchObject({
      code: 3,
      err: [expect.stringContaining('wants an access token')],
    })
    expect(await pull(['pull', url, '--out', out, '--token', 'T'], { T: 'secret-token-1' })).toMatchObject({ code: 0 })
    const wrong = await pull(['pull', url, '--out', out, '--token', 'T'], { T: 'secret-token-2' })
    expect(wrong).toMatchObject({ code: 3, err: [expect.stringContaining('refuses reflection to this client')] })
    expect(wrong.err[0]).not.toContain('secret-token-2')
    const env = {
      PCS_API_URL: url,
      PAS_TOKEN_URL: `${sandbox.issuer}/oauth/token`,
      PAS_PCS_CLIENT_ID: 'sandbox_external_client',
      PAS_PCS_CLIENT_SECRET: 'not-the-secret',
    }
    expect(await pull(['pull', url, '--out', out], env)).toMatchObject({
      code: 3,
      err: [expect.stringContaining('PAS refuses the client sandbox_external_client')],
    })
  })

  test.each<[string, (url: string) => Record<string, string>]>([
    ['PCS_API_URL has another host', () => ({ PCS_API_URL: 'https://api.ppoppo.com/ext' })],
    ['PCS_API_URL has another port', () => ({ PCS_API_URL: 'http://127.0.0.1:1' })],
    ['PCS_API_URL has https', (url) => ({ PCS_API_URL: url.replace('http:', 'https:') })],
    ['PCS_API_URL is not set', () => ({})],
    ['PCS_API_URL is not a URL', () => ({ PCS_API_URL: 'here' })],
    ['PPOPPO_ENVIRONMENT selects another server', () => ({ PPOPPO_ENVIRONMENT: 'sandbox' })],
  ])('A13 gets no token of the app if %s, and the error says how to send one', async (_name, more) => {
    const sandbox = await startSandbox({ pasPort: 0 })
    closers.push(() => void sandbox.close())
    const { url } = await serve(String, { token: 'secret-token-1' })
    const env = {
      PAS_TOKEN_URL: `${sandbox.issuer}/oauth/token`,
      PAS_PCS_CLIENT_ID: 'sandbox_external_client',
      PAS_PCS_CLIENT_SECRET: 'sandbox_external_secret',
      T: 'secret-token-1',
      ...more(url),
    }
    const refused = await pull(['pull', url, '--out', out], env)
    expect(refused).toMatchObject({
      code: 3,
      err: [expect.stringMatching(/only sent to the host of PCS_API_URL.*--token/)],
    })
    expect(sandbox.control.counters.token).toBe(0)
    expect(await pull(['pull', url, '--out', out, '--token', 'T'], env)).toMatchObject({ code: 0 })
  })

  test('A13 with another path on the app’s own host gets the app’s token', async () => {
    const sandbox = await startSandbox({ pasPort: 0 })
    closers.push(() => void sandbox.close())
    const { url } = await serve(String, { token: 'secret-token-1' })
    const env = {
      PCS_API_URL: `${url}/ext`,
      PAS_TOKEN_URL: `${sandbox.issuer}/oauth/token`,
      PAS_PCS_CLIENT_ID: 'sandbox_external_client',
      PAS_PCS_CLIENT_SECRET: 'sandbox_external_secret',
    }
    const { err } = await pull(['pull', url, '--out', out], env)
    expect(err).toEqual([expect.stringContaining('refuses reflection to this client')])
    expect(sandbox.control.counters.tokenClientCredentials).toBe(1)
  })

  test('that is down, hangs or speaks another protocol is reported in one line', async () => {
    const silent = createTcpServer((socket) => closers.push(() => socket.destroy()))
    const rude = createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const port = async (server: typeof silent): Promise<number> => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      closers.push(() => server.close())
      return (server.address() as { port: number }).port
    }
    const at = async (number: number) => pull(['pull', `http://127.0.0.1:${number}`, '--out', out, '--timeout', '0.5'])
    expect(await at(await port(silent))).toMatchObject({
      code: 3,
      err: [expect.stringMatching(/no answer from http:\/\/127\.0\.0\.1:\d+ within 0\.5 s/)],
    })
    expect(await at(await port(rude))).toMatchObject({
      code: 3,
      err: [expect.stringMatching(/does not speak HTTP\/2/)],
    })
    expect(await at(1)).toMatchObject({ code: 3, err: [expect.stringMatching(/does not answer.*ECONNREFUSED/)] })
    expect(filesIn()).toEqual([])
  })
})

describe('proto pull, wrong usage', () => {
  test.each([
    [[], 'takes one URL'],
    [['push', 'http://localhost:1'], 'takes one URL'],
    [['pull'], 'takes one URL'],
    [['pull', 'http://localhost:1', 'http://localhost:2'], 'takes one URL'],
    [['pull', 'http://localhost:1', '--nonsense'], 'takes one URL'],
    [['pull', 'http://localhost:1', '--timeout', '-1'], 'takes one URL'],
    [['pull', 'http://localhost:1', '--timeout', '0'], 'takes one URL'],
    [['pull', 'http://localhost:1', '--out', ''], 'takes one URL'],
    [['pull', 'localhost:3203'], '<url> must be a URL such as "https://api.ppoppo.com/ext"'],
    [['pull', 'grpc://localhost:3203'], '<url> must be a URL'],
    [['pull', 'http://localhost:3203/ext?token=hunter2'], '<url> must be a URL'],
    [['pull', 'http://api.ppoppo.com/ext'], '<url> must be https'],
    [['pull', 'http://localhost:1', '--token', 'UNSET'], '--token must name an environment variable'],
  ])('%j is reported in one line, with exit code 2', async (args, expected) => {
    const { code, err, out: printed } = await pull(args)
    expect({ code, printed }).toEqual({ code: 2, printed: '' })
    expect(err).toEqual([expect.stringContaining(expected)])
    expect(err[0]).not.toMatch(/\n|hunter2/)
  })

  test('--help prints the usage, with exit code 0', async () => {
    for (const args of [['--help'], ['pull', '-h']]) {
      expect(await pull(args)).toMatchObject({ code: 0, err: [], out: expect.stringContaining('--out <file>') })
    }
  })

  test('a wrong environment variable is reported by its name', async () => {
    const { code, err } = await pull(['pull', 'http://localhost:1'], { PAS_TOKEN_URL: 'nonsense-value' })
    expect({ code, lines: err.length }).toEqual({ code: 2, lines: 1 })
    expect(err[0]).toContain('PAS_TOKEN_URL')
    expect(err[0]).not.toMatch(/nonsense-value|\n/)
  })
})

describe('proto pull and its output file', () => {
  test('that is not a descriptor set is only replaced with --force', async () => {
    const { url } = await serve(String)
    writeFileSync(out, 'my thesis')
    expect(await pull(['pull', url, '--out', out])).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/is not a descriptor set; choose another name, or add --force$/)],
    })
    expect(readFileSync(out, 'utf8')).toBe('my thesis')
    expect(await pull(['pull', url, '--out', out, '--force'])).toMatchObject({ code: 0 })
    expect(readFileSync(out, 'utf8')).toContain('ExternalMessageService')
  })

  test.each([
    ['a folder', () => mkdirSync(out), 'is not a plain file'],
    ['a link', () => symlinkSync(OWN_PROTO, out), 'is not a plain file'],
    ['in a folder that is not there', () => (out = join(folder, 'none', 'x.desc')), 'its folder does not exist'],
  ])('that is %s is not written', async (_what, arrange, expected) => {
    arrange()
    const { url } = await serve(String)
    expect(await pull(['pull', url, '--out', out, '--force'])).toMatchObject({
      code: 2,
      err: [expect.stringContaining(expected)],
    })
    expect(filesIn().filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  test('that exists is kept if the server does not answer', async () => {
    const { url } = await serve(permuted)
    await pull(['pull', url, '--out', out])
    const before = readFileSync(out)
    expect((await pull(['pull', 'http://127.0.0.1:1', '--out', out, '--timeout', '1'])).code).toBe(3)
    expect(readFileSync(out).equals(before)).toBe(true)
    expect(existsSync(out)).toBe(true)
  })
})
