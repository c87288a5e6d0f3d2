import { PpoppoError } from '../errors.js'

// Anybody who can call signInAs() can be anybody: a production app must not even be able to load it.
if (process.env['NODE_ENV'] === 'production') {
  throw new PpoppoError(
    'config_invalid',
    'express-ppoppo/testing signs people in without asking Ppoppo, so it does not load with NODE_ENV=production. Import it from tests only, and run them with NODE_ENV=test.',
  )
}
