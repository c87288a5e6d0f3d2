import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parseCommandLine } from '../src/cli/options.js'
import { bannerFor, envLines } from '../src/cli/texts.js'
import { UsageError } from '../src/cli/usage-error.js'
import { startSandbox, testPeople } from '../src/index.js'
import { EXTERNAL_CLIENT_ID, EXTERNAL_CLIENT_SECRET } from '../src/pas/client-credentials.js'
import { TEST_NUMBERS } from '../src/pcs/state/test-numbers.js'
import { sandboxFor } from './support.js'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ppoppo-sandbox-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function file(content: unknown): Promise<string> {
  const path = join(directory, `${Math.random()}.json`)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

function complaintOf(args: readonly string[]): string {
  try {
    parseCommandLine(args)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return 'no complaint'
}

describe('the command line', () => {
  test('with nothing on it starts with the defaults', () => {
    expect(parseCommandLine([])).toEqual({
      kind: 'start',
      options: { pcsPort: 3203 },
      faults: [],
      pcsFaults: [],
      opensInbox: false,
    })
  })

  test('every flag arrives', async () => {
    const users = await file([testPeople[0]])
    const clients = await file([{ clientId: 'shop', redirectUris: ['https://shop.example.test/cb'] }])
    const args = ['--pas-port', '0', '--host', '0.0.0.0', '--users', users, '--clients', clients]
    args.push('--pcs-port', '3204', '--pcs-contract', 'both', '--state', 'state.json')
    args.push('--access-token-ttl', '60', '--auto-sign-in', 'alex', '--announce-revocation', '--announce-end-session')
    args.push('--id-token-hash', 'sha256', '--open', '--seed', await file({ templates: [], messages: [] }))
    args.push('--fault', 'token:status:503@2', '--fault', 'userinfo:delay:3000', '--fault', 'token:wrong-nonce')
    args.push('--fault', 'CreateSendRequest:status:UNAVAILABLE@1', '--fault', 'StreamSendRequestEvents:end-every:500')
    expect(parseCommandLine(args)).toEqual({
      kind: 'start',
      options: {
        pasPort: 0,
        pcsPort: 3204,
        pcsContract: 'both',
        stateFile: 'state.json',
        host: '0.0.0.0',
        users: [testPeople[0]],
        clients: [{ clientId: 'shop', redirectUris: ['https://shop.example.test/cb'] }],
        accessTokenTtlSeconds: 60,
        autoSignIn: 'alex',
        announceRevocation: true,
        announceEndSession: true,
        idTokenHash: 'sha256',
      },
      faults: [
        { endpoint: 'token', fault: { kind: 'status', status: 503 }, times: 2 },
        { endpoint: 'userinfo', fault: { kind: 'delay', delayMs: 3000 }, times: 'until-cleared' },
        { endpoint: 'token', fault: { kind: 'wrong-nonce' }, times: 'until-cleared' },
      ],
      pcsFaults: [
        { method: 'CreateSendRequest', fault: { kind: 'status', code: 'UNAVAILABLE' }, times: 1 },
        { method: 'StreamSendRequestEvents', fault: { kind: 'end-every', everyMs: 500 }, times: 'until-cleared' },
      ],
      seed: { templates: [], messages: [] },
      opensInbox: true,
    })
  })

  test.each([
    [[], 3203],
    [['--pas-port', '3100'], 3203],
    [['--pas-port', '3101'], 0],
    [['--pas-port', '3101', '--pcs-port', '3203'], 3203],
    [['--no-pcs'], undefined],
  ])('%j: the messaging service on port %s', (args, port) => {
    const command = parseCommandLine(args)
    expect(command.kind === 'start' && command.options.pcsPort).toBe(port)
  })

  test.each([
    [['--pas-port', 'x'], '--pas-port must be a whole number from 0 to 65535'],
    [['--pas-port', '70000'], '--pas-port must be a whole number from 0 to 65535'],
    [['--access-token-ttl', '0'], '--access-token-ttl must be a whole number from 1 to 31536000'],
    [['--bogus'], "Unknown option '--bogus'; --help lists what there is"],
    [['extra'], "Unexpected argument 'extra'; --help lists what there is"],
    [
      ['--users', '/no/such/file'],
      '--users /no/such/file: the file cannot be read (ENOENT); give the path of a JSON file',
    ],
    [['--fault', 'x:reset'], /^--fault x:reset: "endpoint" must be one of authorize, /],
    [['--fault', 'token:status'], /^--fault token:status: "fault.status" is missing/],
    [['--fault', 'CreateSendRequest:reset'], /"fault.kind" for method "CreateSendRequest" must be one of status, /],
    [['--fault', 'CreateSendRequest:status:0'], /"fault.code" must be a gRPC status other than OK/],
    [['--id-token-hash', 'md5'], '--id-token-hash must be one of sha512, sha256'],
    [['--pcs-contract', 'newest'], '--pcs-contract must be one of chat.external, pcs.external.v1, both'],
    [['--no-pcs', '--pcs-contract', 'both'], '--pcs-contract is for the messaging service, which --no-pcs leaves out'],
    [['--pcs-port', 'x'], '--pcs-port must be a whole number from 0 to 65535'],
    [['--no-pcs', '--pcs-port', '1'], '--pcs-port is for the messaging service, which --no-pcs leaves out'],
    [['--no-pcs', '--state', 'x'], '--state is for the messaging service, which --no-pcs leaves out'],
    [['--seed', '/no/such/file'], /^--seed .no.such.file: the file cannot be read/],
    [['--no-pcs', '--fault', 'GetAppStats:hang'], '--fault for a method is for the messaging service, which --no-pcs'],
  ])('%j: %s', (args, complaint) => {
    expect(complaintOf(args)).toMatch(complaint)
    expect(complaintOf(args)).not.toContain('\n')
  })

  const [alex] = testPeople
  test.each<[unknown, string]>([
    ['{', 'not valid JSON'],
    [{}, 'users must be a list of at least one person'],
    [[], 'users must be a list of at least one person'],
    [['alex'], 'users[0] must be an object'],
    [[alex, { ...alex, key: 'other', ppnum: 12 }], 'users[1].ppnum must be a string of 11 digits or more'],
    [[{ ...alex, sub: 'x' }], 'users[0].sub must be a ULID'],
    [[{ ...alex, createdAt: 'yesterday' }], 'users[0].createdAt must be an RFC 3339 time'],
    [[{ ...alex, name: 'x' }], 'users[0].name is not a known field; known are key, label, sub, '],
    [[{ ...alex, key: 'deny' }], 'users[0].key must not be "deny"'],
    [[alex, alex], 'users[1].key must be unique: users[0] has the same'],
  ])('a users file with %j: %s', async (content, complaint) => {
    const path = await file(content)
    expect(complaintOf(['--users', path])).toContain(`--users ${path}: ${complaint}`)
  })

  test.each<[unknown, string]>([
    [[{ clientId: 'a' }], 'clients[0].redirectUris must be a list of absolute URLs'],
    [[{ clientId: '', redirectUris: [] }], 'clients[0].clientId must be a string of 1 to 200 visible characters'],
    [[{ clientId: 'a', redirectUris: ['/cb'] }], 'clients[0].redirectUris must be a list of absolute URLs'],
    [[{ clientId: 'a', secret: 'x' }], 'clients[0].secret is not a known field'],
  ])('a clients file with %j: %s', async (content, complaint) => {
    expect(complaintOf(['--clients', await file(content)])).toContain(complaint)
  })

  test('the banner says what it is, where, for which clients, and who can sign in', async () => {
    const sandbox = await sandboxFor()
    const banner = bannerFor(sandbox)
    expect(banner).toContain('NOT FOR PRODUCTION')
    for (const text of [sandbox.issuer, '_login_client', ...testPeople.map(({ key }) => key), 'deny']) {
      expect(banner).toContain(text)
    }
  })

  test('and where messages go, with what gets in, and the test numbers', async () => {
    const sandbox = await sandboxFor({ pcsPort: 0 })
    const banner = bannerFor(sandbox)
    for (const text of [sandbox.pcs?.url, sandbox.pcs?.prefixUrl, EXTERNAL_CLIENT_ID, EXTERNAL_CLIENT_SECRET]) {
      expect(banner).toContain(text)
    }
    for (const { ppnum, label } of TEST_NUMBERS) expect(banner).toContain(`${ppnum} ${label}`)
  })
})

describe('the lines for .env', () => {
  const usual = [
    'PPOPPO_ENVIRONMENT=local',
    'PPOPPO_CLIENT_ID=example_login_client',
    'PPOPPO_BASE_URL=http://localhost:3000',
  ]

  test('are few where the ports are the usual ones, and in the banner', async () => {
    const sandbox = await sandboxFor()
    expect(envLines({ ...sandbox, port: 3100 })).toEqual(usual)
    for (const line of envLines(sandbox)) expect(bannerFor(sandbox)).toContain(`\n    ${line}\n`)
  })

  test('name the addresses where the ports are others', async () => {
    const sandbox = await sandboxFor({ pcsPort: 0 })
    expect(envLines(sandbox)).toEqual([
      ...usual,
      `PPOPPO_AUTH_URL=${sandbox.issuer}`,
      `PAS_PCS_CLIENT_ID=${EXTERNAL_CLIENT_ID}`,
      `PAS_PCS_CLIENT_SECRET=${EXTERNAL_CLIENT_SECRET}`,
      `PCS_API_URL=${sandbox.pcs?.url}`,
      `PAS_TOKEN_URL=${sandbox.issuer}/oauth/token`,
    ])
  })
})

describe('startSandbox', () => {
  test('refuses options that make no sense, by name', async () => {
    await expect(startSandbox({ pasPort: -1 })).rejects.toThrow('"pasPort" must be a port number')
    await expect(startSandbox({ pasPort: 0, pcsPort: 70_000 })).rejects.toThrow('"pcsPort" must be a port number')
    await expect(startSandbox({ pasPort: 0, stateFile: 'x' })).rejects.toThrow('"stateFile" needs "pcsPort"')
    await expect(startSandbox({ pasPort: 0, autoSignIn: 'bob' })).rejects.toThrow('"autoSignIn" must be null or one of')
    const misspelt = { pasPort: 0, autoSignin: 'alex' }
    await expect(startSandbox(misspelt)).rejects.toThrow(
      /"autoSignin" is not an option; there are pasPort, .*, autoSignIn, /,
    )
  })

  test('a taken port is the system error, and leaves nothing open', async () => {
    const { port } = await sandboxFor()
    await expect(startSandbox({ pasPort: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(startSandbox({ pasPort: 0, pcsPort: port })).rejects.toMatchObject({ code: 'EADDRINUSE', port })
  })

  test('many run side by side and know nothing of each other', async () => {
    const [one, two] = [await sandboxFor({ autoSignIn: 'alex' }), await sandboxFor()]
    one.control.inject({ endpoint: 'jwks', fault: { kind: 'reset' } })
    expect(two.control.switches.autoSignIn).toBeNull()
    expect((await fetch(`${two.issuer}/.well-known/jwks.json`)).status).toBe(200)
    expect(one.control.counters.jwks).toBe(0)
  })

  test('answers on IPv4 and, where there is one, on IPv6; after close() on neither', async () => {
    const sandbox = await sandboxFor()
    const addresses = ['127.0.0.1', 'localhost'].map((host) => `http://${host}:${sandbox.port}/.well-known/jwks.json`)
    for (const address of addresses) expect((await fetch(address)).status).toBe(200)
    await sandbox.close()
    for (const address of addresses) await expect(fetch(address)).rejects.toThrow('fetch failed')
  })
})
