import { fromStatus, notJson } from './faults.js'
import { type AskProvider, parseJson } from './http.js'
import type { Jwk } from './jws.js'
import { readKeySet } from './read-answers.js'

/** Fetches PAS's key set (RFC 7517 5). @throws the same errors as every call to PAS */
export async function fetchKeys(ask: AskProvider, url: string): Promise<readonly Jwk[]> {
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const { status, body } = await ask(url, { method: 'GET', headers })
  const { origin, pathname } = new URL(url)
  const operation = `request for its keys at ${origin}${pathname}`
  if (status !== 200) throw fromStatus(operation, status, '')
  const parsed = parseJson(body)
  if (parsed === undefined) throw notJson(operation)
  return readKeySet(parsed)
}
