#!/usr/bin/env node
import { run } from './commands.js'
import { processIo } from './io.js'

process.exitCode = await run(process.argv.slice(2), processIo)
// A TLS handshake that the other side never answers stays open when gRPC closes its channel, and would keep the process.
// First what was printed goes out: an exit cuts off what waits in a pipe.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
