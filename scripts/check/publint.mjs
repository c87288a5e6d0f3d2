import { readFileSync } from 'node:fs'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { readManifest } from './repository.mjs'
import { outcomeOf } from './run.mjs'

/** @param {import('./pack.mjs').Packed} packed */
export async function checkPublint({ file }) {
  const bytes = new Uint8Array(readFileSync(file))
  const { messages } = await publint({ pack: { tarball: bytes.buffer }, level: 'warning', strict: true })
  return outcomeOf(messages.map((message) => formatMessage(message, readManifest('')) ?? message.code))
}
