import { equal, ok } from 'node:assert/strict'
import { denySignIn, formatPpnum, PpoppoError, parsePpnum, ppoppo } from 'express-ppoppo'

for (const named of [ppoppo, parsePpnum, formatPpnum, denySignIn]) equal(typeof named, 'function')
ok(PpoppoError.prototype instanceof Error)
