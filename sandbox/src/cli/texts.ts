import { TEST_NUMBERS } from '../pcs/state/test-numbers.js'
import type { Sandbox } from '../start-sandbox.js'
import type { Person } from '../state/people.js'

export const HELP = `ppoppo-sandbox: Ppoppo's accounts and messaging on your own machine. Not for production.

  ppoppo-sandbox [flags]

  --pas-port <port>           port of the accounts service, 0 takes a free one (3100)
  --pcs-port <port>           port of the messaging service (3203; a free one where --pas-port is given)
  --pcs-contract <which>      its names: chat.external, pcs.external.v1 (the vendor's newest) or both
                              (chat.external)
  --no-pcs                    without the messaging service
  --state <file.json>         keeps templates, sends, polls and events from one run to the next
  --templates <file.json>     templates of your own ids: [{ id, name, components: [{ type, ... }] }]
  --seed <file.json>          people, templates and messages that are there from the start:
                              { users: [...], templates: [...], messages: [{ templateId, ppnums, vars }] }
  --open                      opens the inbox page in your browser
  --host <address>            address to listen on (127.0.0.1 and ::1); in a container 0.0.0.0
  --users <file.json>         these people instead of the test people
  --clients <file.json>       only these clients, with exact redirect URIs
  --auto-sign-in <person>     no sign-in page: this person signs in at once; "deny" refuses
  --access-token-ttl <s>      life of an access token in seconds (3600)
  --announce-end-session      discovery names an end_session_endpoint
  --announce-revocation       discovery names a revocation_endpoint
  --id-token-hash <which>     at_hash by sha512 (its left half) or sha256 (leftmost 128 bits) (sha512)
  --fault <what>              <endpoint>:<kind>[:<status or ms>][@<times>], may be repeated,
                              e.g. token:status:503@2, userinfo:delay:3000, token:wrong-nonce,
                              CreateSendRequest:status:14, StreamSendRequestEvents:drop@1
  -h, --help                  this text
  -v, --version               the version

While it runs, /__sandbox/inbox is a page of what was sent, and GET and POST /__sandbox show and
change all of this; the README has the tables.
`

/** What is printed at the start: where it is, who can sign in, what the app needs in its environment. */
export function bannerFor(sandbox: Sandbox): string {
  const { issuer, control } = sandbox
  return `Ppoppo sandbox, for development and tests.
NOT FOR PRODUCTION: anyone who can reach it can sign in as anyone.

  PAS         ${issuer}
  discovery   ${issuer}/.well-known/openid-configuration
  control     ${issuer}/__sandbox${inboxLine(sandbox)}
  clients     ${sandbox.acceptedClients}

  test people (invented)
${[...control.people.map(personLine), '    deny        refuses: access_denied'].join('\n')}
${messagingLines(sandbox)}
  .env of your app
${envLines(sandbox)
  .map((line) => `    ${line}`)
  .join('\n')}

Ctrl+C stops it.
`
}

function inboxLine({ inboxUrl }: Sandbox): string {
  return inboxUrl === undefined ? '' : `\n  inbox       ${inboxUrl}`
}

/** Ports that `PPOPPO_ENVIRONMENT=local` stands for. */
const [LOCAL_PAS_PORT, LOCAL_PCS_PORT] = [3100, 3203]

/** What an app needs in its environment to use this sandbox; addresses only where they are not the usual ones. */
export function envLines({ issuer, port, pcs }: Sandbox): readonly string[] {
  const isMoved = port !== LOCAL_PAS_PORT
  return [
    'PPOPPO_ENVIRONMENT=local',
    'PPOPPO_CLIENT_ID=example_login_client',
    'PPOPPO_BASE_URL=http://localhost:3000',
    ...(isMoved ? [`PPOPPO_AUTH_URL=${issuer}`] : []),
    ...(pcs === undefined ? [] : [`PAS_PCS_CLIENT_ID=${pcs.clientId}`, `PAS_PCS_CLIENT_SECRET=${pcs.clientSecret}`]),
    ...(pcs !== undefined && pcs.port !== LOCAL_PCS_PORT ? [`PCS_API_URL=${pcs.url}`] : []),
    ...(pcs !== undefined && isMoved ? [`PAS_TOKEN_URL=${pcs.tokenUrl}`] : []),
  ]
}

function messagingLines({ pcs }: Sandbox): string {
  if (pcs === undefined) return ''
  return `
  PCS         ${pcs.url} (gRPC, plaintext), also under ${pcs.prefixUrl}
  token       ${pcs.tokenUrl}, grant_type=client_credentials
  client      ${pcs.clientId}
  secret      ${pcs.clientSecret}

  test numbers (any other is delivered)
${TEST_NUMBERS.map(({ ppnum, label }) => `    ${ppnum} ${label}`).join('\n')}
`
}

function personLine(person: Person): string {
  const note =
    person.registration === 'unfinished' ? 'registration unfinished: account_setup_required' : person.accountType
  return ['   ', person.key.padEnd(11), person.ppnum, note ?? person.email ?? ''].join(' ').trimEnd()
}
