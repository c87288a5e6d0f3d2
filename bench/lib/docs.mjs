import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { toGoals, toMarkdown } from './report.mjs'

const PAGE = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))

/**
 * Writes `docs/performance.md` from a run.
 * @param {string} about date, machine and size of the run
 */
export async function writeDocs(about, results) {
  const page = `# Performance

express-ppoppo against what people use instead, measured in one run on one machine: Express alone, express-session with
connect-redis and a sign-in written by hand on openid-client ("bare"), passport, express-openid-connect, and the bare stub of
grpc-js. This page is written by \`npm run bench -- --write-docs\`.

The run: ${about}.

- Ratios compare with the reference, which has 1.00, of the same round. They are medians; ± is half the distance between the
  smallest and the largest, so a goal within it is neither met nor missed. Absolute figures mean nothing on another machine.
- CPU is that of the app's process alone, not of whoever loads it.
- Redis commands are those that Redis counts: what a script calls counts, too. B3 counts apart what is sent and what scripts call.
- A sign-in by express-ppoppo checks the signature of the id_token (Ed25519) and seals what it stores (AES-256-GCM). The one that
  is written by hand does neither, and express-openid-connect asks for no userinfo.

## Goals

${toGoals(results)}

## Measurements

${results.map(toMarkdown).join('\n\n')}

## Run it yourself

Node, npm and a \`redis-server\` are all it needs. It installs the peers the first time, starts what it needs, and stops it.

\`\`\`sh
npm run bench -- --quick                      # to see that it works; the figures mean nothing
npm run bench                                 # all, 5 rounds
npm run bench -- --only B1,B6 --profile profiles
npm run bench -- --only B1 --stored 1000000   # with a million sign-ins in Redis
npm run bench -- --soak 600                   # full load for ten minutes: is memory flat, is anything left open?
npm run test:load                             # 1,000 signed-in people while Redis is killed, stopped and slow
npm run test:fuzz                             # 100,000 random requests
\`\`\`

[bench/README.md](../bench/README.md) says what each benchmark does and what the other runs promise.
`
  await writeFile(PAGE, page)
  return PAGE
}
