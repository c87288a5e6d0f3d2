import { PpoppoError } from '../../errors.js'
import { isWholeNumber } from '../../lib/guards.js'
import { LONGEST_TIMER_MS } from '../../lib/wait.js'
import type { PollConfig, ResumePart, SendManyRequest } from '../types/methods.js'
import { checkNames, checkRequestNames, parseId, parsePoll, record } from '../wire/validate.js'

/** Settings of a run: what the request says, checked, with the defaults. */
export interface SendManyOptions {
  readonly templateId: string
  readonly poll: PollConfig | undefined
  readonly concurrency: number
  readonly chunkSize: number
  readonly resumeFrom: number
  readonly skipChunks: readonly number[]
  readonly resumeParts: readonly ResumePart[]
  readonly onInvalidRecipient: 'fail' | 'skip'
  readonly patienceMs: number
  readonly onProgress: SendManyRequest['onProgress']
}

/** The largest send that the server accepts. */
const LARGEST_CHUNK = 1_000
const PATIENCE_MS = 300_000

const NAMES = Object.keys({
  templateId: true,
  recipients: true,
  poll: true,
  concurrency: true,
  chunkSize: true,
  resumeFrom: true,
  skipChunks: true,
  resumeParts: true,
  onInvalidRecipient: true,
  patienceMs: true,
  onProgress: true,
} satisfies Record<keyof SendManyRequest, true>)

/** @throws `request_invalid` */
export function parseSendManyOptions(request: SendManyRequest): SendManyOptions {
  const given = record(request, 'The request', 'sendMany({ templateId, recipients })')
  checkRequestNames(given, NAMES, 'sendMany')
  const templateId = parseId(given['templateId'], 'templateId')
  const poll = parsePoll(given['poll'])
  const { concurrency = 4, chunkSize = LARGEST_CHUNK, resumeFrom = 0, skipChunks = [], resumeParts = [] } = request
  const { onInvalidRecipient = 'fail', patienceMs = PATIENCE_MS, onProgress } = request
  assertInteger('concurrency', concurrency, 1)
  assertInteger('chunkSize', chunkSize, 1, LARGEST_CHUNK)
  assertInteger('resumeFrom', resumeFrom, 0)
  assertInteger('patienceMs', patienceMs, 0, LONGEST_TIMER_MS)
  if (!Array.isArray(skipChunks)) throw invalid('skipChunks', 'must be a list of chunk indexes')
  for (const [at, index] of skipChunks.entries()) assertInteger(`skipChunks[${at}]`, index, 0)
  if (!Array.isArray(resumeParts)) throw invalid('resumeParts', 'must be a list of { chunk, from, to }')
  for (const [at, part] of resumeParts.entries()) assertPart(`resumeParts[${at}]`, part)
  if (onInvalidRecipient !== 'fail' && onInvalidRecipient !== 'skip') {
    throw invalid('onInvalidRecipient', 'must be "fail" or "skip"')
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') throw invalid('onProgress', 'must be a function')
  return {
    templateId,
    poll,
    concurrency,
    chunkSize,
    resumeFrom,
    skipChunks: [...skipChunks],
    resumeParts: [...resumeParts],
    onInvalidRecipient,
    patienceMs,
    onProgress,
  }
}

function assertPart(path: string, part: unknown): void {
  const given = record(part, path, '{ chunk, from, to }')
  checkNames(given, ['chunk', 'from', 'to'], `${path}.`)
  assertInteger(`${path}.chunk`, given['chunk'], 0)
  assertInteger(`${path}.from`, given['from'], 0)
  assertInteger(`${path}.to`, given['to'], Number(given['from']) + 1)
}

function assertInteger(name: string, value: unknown, lowest: number, highest?: number): void {
  if (isWholeNumber(value, lowest, highest)) return
  throw invalid(
    name,
    `must be a whole number${highest === undefined ? ` of ${lowest} or more` : ` from ${lowest} to ${highest}`}`,
  )
}

function invalid(name: string, reason: string): PpoppoError {
  return new PpoppoError('request_invalid', `sendMany: "${name}" ${reason}.`)
}
