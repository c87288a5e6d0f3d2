import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { isPlainObject } from '../lib/guards.js'
import type { Recipient, TemplateVars } from '../messaging/types/methods.js'
import type { KeyRing, SealContext } from '../vault/keyring.js'

const [zip, unzip] = [promisify(gzip), promisify(gunzip)]
/** A chunk of 1,000 recipients is far smaller, even if each has long vars. */
const MAX_BYTES = 256 * 1024 * 1024

/** Encrypts the parts of a campaign that only holders of the vault key may read in Redis. */
export interface Seal {
  /** @param index of the chunk: it opens under no other */
  chunk(campaignId: string, index: number, recipients: readonly Recipient[]): Promise<string>
  /** @returns `undefined` if it was changed or moved, or its key is missing */
  openChunk(campaignId: string, index: number, text: string): Promise<readonly Recipient[] | undefined>
  digest(campaignId: string, digest: string): Promise<string>
  openDigest(campaignId: string, text: string): Promise<string | undefined>
}

/** @param keyRing called each time, since the key may still have to be fetched */
export function createSeal(keyRing: () => Promise<KeyRing>): Seal {
  const contextOf = (purpose: string, campaignId: string, part: string): SealContext => ({
    purpose: `campaign-${purpose}`,
    salt: campaignId,
    binding: [part],
  })
  return {
    async chunk(campaignId, index, recipients) {
      const zipped = await zip(toText(recipients))
      return (await keyRing()).seal(contextOf('chunk', campaignId, String(index)), zipped)
    },
    async openChunk(campaignId, index, text) {
      const zipped = (await keyRing()).openBytes(contextOf('chunk', campaignId, String(index)), text)
      if (zipped === undefined) return undefined
      return fromText((await unzip(zipped, { maxOutputLength: MAX_BYTES })).toString())
    },
    // The hash of a short list could be guessed, so it is sealed too.
    digest: async (campaignId, digest) => (await keyRing()).seal(contextOf('digest', campaignId, ''), digest),
    openDigest: async (campaignId, text) => (await keyRing()).open(contextOf('digest', campaignId, ''), text),
  }
}

/** Recipients as they are sealed and compared: `[ppnum, vars]`, or `[ppnum]`. */
export function toText(recipients: readonly Recipient[]): string {
  return JSON.stringify(recipients.map(({ ppnum, vars }) => (vars === undefined ? [ppnum] : [ppnum, vars])))
}

function fromText(text: string): readonly Recipient[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) return []
  return list.map(([ppnum, vars]: [unknown, unknown]) => ({
    ppnum: String(ppnum),
    ...(isPlainObject(vars) ? { vars: vars as TemplateVars } : {}),
  }))
}
