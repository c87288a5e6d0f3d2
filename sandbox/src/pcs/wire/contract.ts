import type { PcsService } from './methods.js'

/**
 * By which names the messaging service answers. Ppoppo's documentation has `chat.external`; its newest published
 * contract is called `pcs.external.v1`, and its services have no `External` in front. Both: a server that moves on.
 */
export type PcsContract = 'chat.external' | 'pcs.external.v1' | 'both'

export const PCS_CONTRACTS: readonly PcsContract[] = ['chat.external', 'pcs.external.v1', 'both']

/** The names of one contract. */
export interface ContractNames extends Readonly<Record<PcsService, string>> {
  readonly packageName: string
}

const DOCUMENTED: ContractNames = {
  packageName: 'chat.external',
  messages: 'chat.external.ExternalMessageService',
  templates: 'chat.external.ExternalTemplateService',
  app: 'chat.external.ExternalAppService',
}
const NEWEST: ContractNames = {
  packageName: 'pcs.external.v1',
  messages: 'pcs.external.v1.MessageService',
  templates: 'pcs.external.v1.TemplateService',
  app: 'pcs.external.v1.AppService',
}

export function namesOf(contract: PcsContract): readonly ContractNames[] {
  if (contract === 'both') return [DOCUMENTED, NEWEST]
  return [contract === 'chat.external' ? DOCUMENTED : NEWEST]
}

/** Our transcription, which has the documented names, by those of the newest contract. Its numbers are still a guess. */
export function renamed(proto: string): string {
  return proto
    .replace(/^package chat\.external;/m, `package ${NEWEST.packageName};`)
    .replaceAll(/^service External/gm, 'service ')
}
