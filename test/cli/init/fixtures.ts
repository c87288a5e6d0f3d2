/** An app to add the sign-in to. */
export interface Fixture {
  readonly name: string
  readonly files: Readonly<Record<string, string>>
  /** Folder of the app in these files. */
  readonly at?: string
  /** The file with the app. */
  readonly entry: string
  readonly module: string
  /** The line in front of the new one that mounts `auth`, and the line behind it. */
  readonly between: readonly [string, string]
  /** Its first line about the module. */
  readonly imports: string
  readonly mounts: string
  readonly says: RegExp
  readonly installs: RegExp
  /** Which Express runs it. @default 5 */
  readonly express?: 4 | 5
}

const manifest = (more: object, dependencies: object = {}): string =>
  JSON.stringify({ name: 'shop', ...more, dependencies: { express: '^5.0.0', ...dependencies } }, undefined, 2)
const listen = "app.listen(process.env.PORT ?? 3000, () => console.log('listening'))"
const session = "session({ secret: 'a-secret-of-the-app-0123456789abcdef', resave: false, saveUninitialized: false })"
const TSCONFIG = JSON.stringify({
  compilerOptions: { module: 'nodenext', outDir: 'dist', rootDir: 'src', strict: true },
})

/** One for each kind of app. */
export const FIXTURES: readonly Fixture[] = [
  {
    name: 'JavaScript, ES modules',
    files: {
      'package.json': manifest({ type: 'module', scripts: { start: 'node server.js' } }),
      'server.js': `import express from 'express'

const app = express()
app.set('trust proxy', 1)
app.use(express.json())
app.get('/', (req, res) => res.send(\`{ not ) code \${req.query.a ?? "}"}\`))
${listen}
`,
    },
    entry: 'server.js',
    module: 'auth.js',
    between: [
      'app.use(express.json())',
      `app.get('/', (req, res) => res.send(\`{ not ) code \${req.query.a ?? "}"}\`))`,
    ],
    imports: "import { auth } from './auth.js'",
    mounts: 'app.use(auth)',
    says: /^shop: Express 5, JavaScript, ES modules, npm; the app is in server\.js/,
    installs: /npm install express-ppoppo express-session ioredis/,
  },
  {
    name: 'JavaScript, CommonJS, made by a function',
    files: {
      'package.json': manifest({ main: 'index.js', packageManager: 'yarn@4.9.0' }),
      'index.js': `#!/usr/bin/env node
"use strict";
const express = require("express");
const path = require("path");

function createApp() {
  const app = express(); // the app
  app.disable("x-powered-by");
  app.use("/files", express.static(path.join(__dirname, "files")));

  app.get("/", (req, res) => {
    res.send("home");
  });
  return app;
}

createApp().listen(process.env.PORT || 4000, () => console.log("listening"));
`,
    },
    entry: 'index.js',
    module: 'auth.js',
    between: ['  app.use("/files", express.static(path.join(__dirname, "files")));', ''],
    imports: 'const { auth } = require("./auth");',
    mounts: '  app.use(auth);',
    says: /^shop: Express 5, JavaScript, CommonJS, yarn; the app is in index\.js/,
    installs: /yarn add express-ppoppo/,
  },
  {
    name: 'TypeScript, ES modules',
    files: {
      'package.json': manifest({ type: 'module', scripts: { start: 'node --env-file=.env dist/server.js' } }),
      'tsconfig.json': TSCONFIG,
      'src/server.ts': `import express, {
  type Express,
} from 'express'
import { home } from './routes.js'

const app: Express = express()
app.use('/', home)
${listen}
`,
      'src/routes.ts': "import { Router } from 'express'\n\nexport const home: Router = Router()\n",
    },
    entry: 'src/server.ts',
    module: 'src/auth.ts',
    between: ['const app: Express = express()', "app.use('/', home)"],
    imports: "import { auth } from './auth.js'",
    mounts: 'app.use(auth)',
    says: /^shop: Express 5, TypeScript, ES modules, npm; the app is in src\/server\.ts/,
    installs: /npm install --save-dev ppoppo-sandbox @types\/express @types\/express-session/,
  },
  {
    name: 'TypeScript, CommonJS',
    files: {
      'package.json': manifest({ scripts: { start: 'node dist/app.js' } }),
      'tsconfig.json': TSCONFIG,
      'src/app.ts': `import express = require('express')

const app = express()
app.use(express.urlencoded({ extended: false }))

app.get('/', (_req, res) => {
  res.send('home')
})
${listen}
`,
    },
    entry: 'src/app.ts',
    module: 'src/auth.ts',
    between: ['app.use(express.urlencoded({ extended: false }))', ''],
    imports: "import { auth } from './auth'",
    mounts: 'app.use(auth)',
    says: /^shop: Express 5, TypeScript, CommonJS, npm; the app is in src\/app\.ts/,
    installs: /npm install express-ppoppo/,
  },
  {
    name: 'Express 4, with a name of its own for something called auth',
    files: {
      'package.json': manifest({}, { express: '^4.22.0' }),
      'bun.lock': '',
      'app.js': `var express = require('express');
var auth = 'mine';
var app = express();
app.use(express.json()); app.use(express.urlencoded({ extended: true }));
app.use(function (req, res, next) { next(); });
app.get('/', function (req, res) { res.send(auth); });
app.listen(process.env.PORT, function () { console.log('listening'); });
`,
    },
    entry: 'app.js',
    module: 'auth.js',
    between: [
      'app.use(express.json()); app.use(express.urlencoded({ extended: true }));',
      'app.use(function (req, res, next) { next(); });',
    ],
    imports: "const { auth: ppoppoAuth } = require('./auth');",
    mounts: 'app.use(ppoppoAuth);',
    says: /^shop: Express 4, JavaScript, CommonJS, bun;/,
    installs: /bun add express-ppoppo/,
    express: 4,
  },
  {
    name: 'its own express-session, mounted after a route',
    files: {
      'package.json': manifest({ type: 'module' }, { 'express-session': '^1.19.0' }),
      'src/index.js': `import express from 'express'
import session from 'express-session'

const app = express()
app.get('/health', (_req, res) => res.send('ok'))
app.use(
  ${session},
)

app.get('/', (req, res) => res.send(String(req.session.id.length)))
${listen}
`,
    },
    entry: 'src/index.js',
    module: 'src/auth.js',
    between: [')', ''],
    imports: "import { auth } from './auth.js'",
    mounts: 'app.use(auth)',
    says: /the app is in src\/index\.js, with express-session$/,
    installs: /npm install express-ppoppo ioredis/,
  },
  {
    name: 'Passport',
    files: {
      'package.json': manifest({}, { 'express-session': '^1.19.0', passport: '^0.7.0' }),
      'server.js': `const express = require('express')
const session = require('express-session')
const passport = require('passport')

const app = express()
app.use(${session})
app.use(passport.initialize())
app.use(passport.session())
app.use((req, res, next) => next())
${listen}
`,
    },
    entry: 'server.js',
    module: 'auth.js',
    between: ['app.use(passport.session())', 'app.use((req, res, next) => next())'],
    imports: "const { auth } = require('./auth')",
    mounts: 'app.use(auth)',
    says: /with express-session and Passport$/,
    installs: /npm install express-ppoppo ioredis/,
  },
  {
    name: 'a package of a monorepo, by pnpm',
    files: {
      'package.json': JSON.stringify({ name: 'root', private: true }),
      'pnpm-lock.yaml': '',
      '.gitignore': 'node_modules\n.env*\n',
      '.git/HEAD': 'ref: refs/heads/main\n',
      'packages/web/package.json': manifest({ name: '@acme/web', type: 'module', main: './dist/main.mjs' }),
      'packages/web/src/main.mjs': `import express from 'express'
import './noise.js'
const app = express()
${listen}
`,
      'packages/web/src/noise.js': '',
    },
    at: 'packages/web',
    entry: 'src/main.mjs',
    module: 'src/auth.mjs',
    between: ['const app = express()', listen],
    imports: "import { auth } from './auth.mjs'",
    mounts: 'app.use(auth)',
    says: /^@acme\/web: Express 5, JavaScript, ES modules, pnpm; the app is in src\/main\.mjs/,
    installs: /pnpm add express-ppoppo express-session ioredis/,
  },
]
