/** What `onSignIn` returns, as handlers see it. Never run: `tsc` is the test. */
import type { IncomingMessage } from 'node:http'
import express from 'express'
import { type Ppoppo, type PpoppoUser, ppoppo, type RequestPpoppo, type StoredAccount } from 'express-ppoppo'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const expectType = <_T extends true>(): void => {}

interface Account {
  readonly id: number
  readonly name: string | null
}
declare const findOrCreate: (user: PpoppoUser) => Promise<Account>

const auth = ppoppo({ onSignIn: (user) => findOrCreate(user) })
expectType<Equal<typeof auth, Ppoppo<Account>>>()
expectType<Equal<ReturnType<typeof ppoppo>, Ppoppo<unknown>>>()
const untyped: Ppoppo = auth
const app = express()

app.get('/', auth.requireSignIn(), (req, res) => {
  // Without PpoppoRegister, a handler that does not ask `auth` knows nothing about it.
  expectType<Equal<typeof req.ppoppo.account, unknown>>()
  if (!auth.isSignedIn(req)) return void res.sendStatus(401)
  const { id, name } = req.ppoppo.account
  expectType<Equal<typeof id, number>>()
  expectType<Equal<typeof name, string | null>>()
  expectType<Equal<typeof req.ppoppo.user, PpoppoUser>>()
  const since: Date = req.ppoppo.signIn.createdAt
  // The request is still the request.
  res.send(`${req.originalUrl} ${since}`)
  // @ts-expect-error the account has no such member
  res.send(req.ppoppo.account.email)
  // @ts-expect-error the account is the library's to set
  req.ppoppo.account = { id: 1, name: null }
})

app.get('/untyped', (req, res) => {
  if (!untyped.isSignedIn(req)) return void res.sendStatus(401)
  res.send(req.ppoppo.user.sub)
  // @ts-expect-error `untyped` knows nothing about the account
  res.send(req.ppoppo.account.id)
})

export async function nameOfSocket(req: IncomingMessage): Promise<string | null> {
  const visitor = await auth.fromUpgrade(req)
  // @ts-expect-error nobody may be signed in
  if (visitor.account.id === 0) return null
  // @ts-expect-error the account has no such member
  if (visitor.isSignedIn) visitor.account.email
  const stranger = await untyped.fromUpgrade(req)
  expectType<Equal<typeof stranger.account, unknown>>()
  return visitor.isSignedIn ? visitor.account.name : null
}

// @ts-expect-error an account without a name
ppoppo<Account>({ onSignIn: () => ({ id: 1 }) })
export const typed: Ppoppo<Account> = ppoppo<Account>({ onSignIn: async () => ({ id: 1, name: 'Alex' }) })

export function accountOf(ppoppo: RequestPpoppo<Account>): number | undefined {
  // @ts-expect-error nobody may be signed in
  const id: number = ppoppo.account.id
  return ppoppo.account?.id ?? id
}

/** It has been JSON in between. */
interface Row {
  readonly at: Date
  readonly tags: readonly string[]
  readonly nested: { readonly maybe?: Date; readonly list: (string | undefined)[] }
  save(): void
}
type StoredRow = StoredAccount<Row>
expectType<Equal<StoredRow['at'], string>>()
expectType<Equal<StoredRow['tags'], readonly string[]>>()
expectType<Equal<StoredRow['nested']['maybe'], string | undefined>>()
expectType<Equal<keyof StoredRow, 'at' | 'tags' | 'nested'>>()
expectType<Equal<StoredAccount<Account>['name'], string | null>>()
expectType<Equal<StoredAccount<unknown>, unknown>>()
expectType<Equal<StoredAccount<'a' | 1>, 'a' | 1>>()
