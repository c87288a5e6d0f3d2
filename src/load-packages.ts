import nodeModule from 'node:module'
import { join } from 'node:path'
import type * as Grpc from '@grpc/grpc-js'
import type * as ProtoLoader from '@grpc/proto-loader'
import type * as OpenTelemetry from '@opentelemetry/api'
import type * as Bullmq from 'bullmq'
import type * as Ioredis from 'ioredis'
import { PpoppoError } from './errors.js'

/*
 * The packages that are loaded when they are first needed, and the only place that loads anything: an app that sends
 * nothing does without gRPC (100 ms, 20 MB), one without Redis without ioredis. `require` stays synchronous, which a
 * dynamic import is not. Its name stands in each call, in a `try`: so a bundler finds the package, and may do without;
 * in a module of Node's own there is no `require`, and one is made.
 */

/** `ioredis`, a peer dependency. @throws `config_invalid` */
export function loadIoredis(): typeof Ioredis {
  try {
    return require('ioredis')
  } catch (error) {
    return load<typeof Ioredis>('ioredis', error)
  }
}

/** `@grpc/grpc-js`. @throws `config_invalid` */
export function loadGrpc(): typeof Grpc {
  try {
    return require('@grpc/grpc-js')
  } catch (error) {
    return load<typeof Grpc>('@grpc/grpc-js', error)
  }
}

/** `@grpc/proto-loader`. @throws `config_invalid` */
export function loadProtoLoader(): typeof ProtoLoader {
  try {
    return require('@grpc/proto-loader')
  } catch (error) {
    return load<typeof ProtoLoader>('@grpc/proto-loader', error)
  }
}

/** `bullmq`, an optional peer dependency. @throws `config_invalid` */
export function loadBullmq(): typeof Bullmq {
  try {
    return require('bullmq')
  } catch (error) {
    return load<typeof Bullmq>('bullmq', error)
  }
}

/** `@opentelemetry/api`, an optional peer dependency. @throws `config_invalid` */
export function loadOpenTelemetry(): typeof OpenTelemetry {
  try {
    return require('@opentelemetry/api')
  } catch (error) {
    return load<typeof OpenTelemetry>('@opentelemetry/api', error)
  }
}

/** Version of the `bullmq` that {@link loadBullmq} loads; `undefined` where it cannot be read, as in a bundle. */
export function readBullmqVersion(): string | undefined {
  try {
    const { version } = load<{ readonly version?: unknown }>('bullmq/package.json', undefined)
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

function load<Module>(name: string, cause: unknown): Module {
  // From where we are; else, in a bundle whose files say nothing of where they lie, from where the app was started.
  for (const from of [here(), join(process.cwd(), 'index.js')]) {
    try {
      if (from !== undefined) return nodeModule.createRequire(from)(name) as Module
    } catch {
      // The next one, or the error below.
    }
  }
  throw new PpoppoError(
    'config_invalid',
    `The package ${name} cannot be loaded. Install it: npm install ${name}. If it is installed and the app is bundled, mark express-ppoppo as external (esbuild: --external:express-ppoppo; webpack: externals).`,
    { cause },
  )
}

/**
 * Where this file is. `import.meta.url` would say so, and is a syntax error where a test runner makes CommonJS of this
 * (babel-jest, ts-jest); frames of V8's stack say it everywhere.
 */
function here(): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error
  // `Reflect.set` does not throw where somebody has frozen `Error`.
  Reflect.set(Error, 'stackTraceLimit', 1)
  Reflect.set(Error, 'prepareStackTrace', (_: unknown, [frame]: NodeJS.CallSite[]) => frame?.getFileName())
  const file: unknown = new Error('here').stack
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace)
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return typeof file === 'string' ? file : undefined
}
