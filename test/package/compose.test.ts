import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'

interface Service {
  readonly image?: string
  readonly build?: { readonly target: string }
  readonly command?: readonly string[]
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly network_mode?: string
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test: readonly string[] }
}

const ROOT = join(import.meta.dirname, '../..')
const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(
  read('docker-compose.yml'),
)
const dockerfile = read('Dockerfile')

function read(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8')
}

function service(name: string): Service {
  const found = compose.services[name]
  if (found === undefined) throw new Error(`no service ${name}`)
  return found
}

/** The instructions of one stage. */
function stage(name: string): string {
  const start = dockerfile.search(new RegExp(`^FROM \\S+ AS ${name}$`, 'm'))
  if (start < 0) throw new Error(`no stage ${name}`)
  const end = dockerfile.indexOf('\nFROM ', start)
  return dockerfile.slice(start, end < 0 ? undefined : end)
}

describe('docker-compose.yml', () => {
  test('every service that is built has a target, and every target a health check and a start', () => {
    const targets = Object.values(compose.services).flatMap(({ build }) => build?.target ?? [])
    expect(targets.sort()).toEqual(['example-app', 'sandbox'])
    for (const target of targets) {
      expect(stage(target)).toMatch(/^HEALTHCHECK /m)
      expect(stage(target)).toMatch(/^ENTRYPOINT \["node", /m)
    }
  })

  test('every service that another waits for can become healthy', () => {
    for (const { depends_on = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        expect(condition).toBe('service_healthy')
        const { healthcheck, build } = service(name)
        expect(healthcheck !== undefined || build !== undefined).toBe(true)
      }
    }
  })

  test('the app shares the network of the sandbox, which publishes the ports of both on this machine only', () => {
    expect(service('example-app').network_mode).toBe('service:sandbox')
    expect(service('example-app').ports).toBeUndefined()
    expect(service('sandbox').ports).toEqual(['127.0.0.1:3100:3100', '127.0.0.1:3203:3203', '127.0.0.1:3000:3000'])
    expect(stage('sandbox')).toMatch(/^EXPOSE 3100 3203$/m)
    expect(service('example-app').environment?.['PORT']).toBe('3000')
  })

  test('the sandbox listens where published ports arrive, and on its default port', () => {
    expect(stage('sandbox')).toContain('"--host", "0.0.0.0"')
    expect(read('sandbox/src/cli/texts.ts')).toMatch(/--pas-port[\s\S]{0,200}3100/)
    expect(stage('sandbox')).toContain(':3100/.well-known/openid-configuration')
  })

  test('Redis keeps sign-ins over a restart and throws none away', () => {
    const { command = [], volumes = [], healthcheck } = service('redis')
    expect(command.join(' ')).toBe('redis-server --appendonly yes --maxmemory-policy noeviction')
    expect(volumes).toEqual(['redis-data:/data'])
    expect(healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping'])
  })

  test('every named volume is declared', () => {
    const used = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.map((volume) => volume.split(':')[0]),
    )
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort())
  })

  test('no .env, whatever its ending, gets into an image', () => {
    const ignored = read('.dockerignore').split('\n')
    expect(ignored).toEqual(expect.arrayContaining(['**/.env', '**/.env.*']))
    expect(ignored.filter((line) => line.startsWith('!'))).toEqual(['!**/.env.example'])
  })

  test('the dependencies are installed before the sources are there, so without running our own prepare', () => {
    expect(stage('build')).toMatch(/^RUN npm ci .*--ignore-scripts/m)
  })

  test('both images run as a user who is not root', () => {
    for (const target of ['sandbox', 'example-app']) expect(stage(target)).toMatch(/^USER node$/m)
    expect(dockerfile).not.toMatch(/^USER (?!node$)/m)
  })
})
