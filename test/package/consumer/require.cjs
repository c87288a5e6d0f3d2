const { equal } = require('node:assert/strict')
const { ppoppo, formatPpnum } = require('express-ppoppo')

equal(typeof ppoppo, 'function')
equal(formatPpnum('12312345678'), '123-1234-5678')
