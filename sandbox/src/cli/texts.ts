import type { Person } from '../people.js'
import type { Sandbox } from '../start-sandbox.js'

export const HELP = `ppoppo-sandbox: Ppoppo's accounts service on your own machine. Not for production.

  ppoppo-sandbox [flags]

  --pas-port <port>           port of the accounts service, 0 takes a free one (3100)
  --host <address>            address to listen on (127.0.0.1 and ::1); in a container 0.0.0.0
  --users <file.json>         these people instead of the test people
  --clients <file.json>       only these clients, with exact redirect URIs
  --auto-sign-in <person>     no sign-in page: this person signs in at once; "deny" refuses
  --access-token-ttl <s>      life of an access token in seconds (3600)
  --announce-end-session      discovery names an end_session_endpoint
  --announce-revocation       discovery names a revocation_endpoint
  --fault <what>              <endpoint>:<kind>[:<status or ms>][@<times>], may be repeated,
                              e.g. token:status:503@2, userinfo:delay:3000, token:wrong-nonce
  -h, --help                  this text
  -v, --version               the version

While it runs, GET and POST /__sandbox show and change all of this; the README has the tables.
`

/** What somebody who just started it needs to know. */
export function bannerFor(sandbox: Sandbox): string {
  const { issuer, control } = sandbox
  return `Ppoppo sandbox: the accounts service, for development and tests.
NOT FOR PRODUCTION: whoever reaches it signs in as whom they like.

  PAS         ${issuer}
  discovery   ${issuer}/.well-known/openid-configuration
  control     ${issuer}/__sandbox
  clients     ${sandbox.acceptedClients}

  test people (invented)
${[...control.people.map(personLine), '    deny        refuses: access_denied'].join('\n')}

Ctrl+C stops it.
`
}

function personLine(person: Person): string {
  const note =
    person.registration === 'unfinished' ? 'registration unfinished: account_setup_required' : person.accountType
  return ['   ', person.key.padEnd(11), person.ppnum, note ?? person.email ?? ''].join(' ').trimEnd()
}
