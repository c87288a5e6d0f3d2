#!/usr/bin/env node
import { run } from './commands.js'
import { processIo } from './io.js'

process.exitCode = await run(process.argv.slice(2), processIo)
// gRPC does not close a TLS handshake that the peer never answers, and that would keep the process alive. So exit, but only
// after the output is flushed: an exit discards what is still in a pipe.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
