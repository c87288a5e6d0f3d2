import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { findNginx } from '../../scripts/lib/find-binary.mjs'
import { until } from './until.js'

const nginxBin: string | undefined = process.env['TEST_NGINX_BIN'] || findNginx()

const START_TIMEOUT_MS = 60_000

/** An nginx of the test's own. */
export interface Nginx {
  /** Where visitors find it. */
  readonly origin: string
  /**
   * Starts it in the foreground, one process, in a folder of its own, and waits until it answers. What is not in
   * `server` is as nginx has it by default.
   * @param server what stands in its `server` block, e.g. `location / { proxy_pass http://127.0.0.1:3000; }`
   * @param http what stands beside it, e.g. a `proxy_cache_path`
   */
  start(server: string, http?: string): Promise<void>
  close(): Promise<void>
}

/** `describe` where there is an nginx: skipped, with the reason in the name, where there is none; with CI=true a fault. */
export function describeWithNginx(name: string, tests: () => void): void {
  if (nginxBin !== undefined) describe(name, tests)
  else if (process.env['CI'] === 'true') throw new Error('with CI=true an nginx is required, and none was found')
  else describe.skip(`${name} (skipped: no nginx found)`, tests)
}

/** An nginx that has its port, which an app must know first, and waits to be started. */
export async function reserveNginx(): Promise<Nginx> {
  // Held until nginx takes it: a server that is started meanwhile on any free port would get this one.
  const placeholder = createServer().listen(0, '127.0.0.1')
  await once(placeholder, 'listening')
  const { port } = placeholder.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-nginx-'))
  let child: ChildProcess | undefined
  return {
    origin: `http://localhost:${port}`,
    async start(server, http = '') {
      if (nginxBin === undefined) throw new Error('no nginx found; use describeWithNginx')
      writeFileSync(join(folder, 'nginx.conf'), configOf(port, server, http))
      placeholder.close()
      await once(placeholder, 'close')
      child = spawn(nginxBin, ['-p', folder, '-c', 'nginx.conf'], { stdio: 'ignore' })
      await untilUp(child, port, join(folder, 'error.log'))
    },
    async close() {
      placeholder.close()
      if (child !== undefined && child.exitCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function configOf(port: number, server: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`
}

async function untilUp(child: ChildProcess, port: number, log: string): Promise<void> {
  const isUp = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
    return isNginx(port)
  }
  await until(isUp, 'nginx answers', START_TIMEOUT_MS).catch((error: Error) => {
    throw new Error(`${error.message}:\n${readFileSync(log, 'utf8')}`)
  })
}

async function isNginx(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' }).catch(() => undefined)
  await answer?.body?.cancel()
  return answer?.headers.get('server')?.startsWith('nginx') === true
}
