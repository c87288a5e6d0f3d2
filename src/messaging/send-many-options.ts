import { PpoppoError } from '../errors.js'
import type { SendManyRequest } from './types.js'

/** How a run is cut and paced: what the request says, checked, or the defaults. */
export interface SendManyOptions {
  readonly concurrency: number
  readonly chunkSize: number
  readonly resumeFrom: number
  readonly skipChunks: readonly number[]
}

/** The server takes no larger send. */
const LARGEST_CHUNK = 1_000

/** @throws `request_invalid` */
export function parseSendManyOptions(request: SendManyRequest): SendManyOptions {
  const { concurrency = 4, chunkSize = LARGEST_CHUNK, resumeFrom = 0, skipChunks = [], onProgress } = request
  assertInteger('concurrency', concurrency, 1)
  assertInteger('chunkSize', chunkSize, 1, LARGEST_CHUNK)
  assertInteger('resumeFrom', resumeFrom, 0)
  if (!Array.isArray(skipChunks)) throw invalid('skipChunks', 'must be a list of chunk indexes')
  for (const [at, index] of skipChunks.entries()) assertInteger(`skipChunks[${at}]`, index, 0)
  if (onProgress !== undefined && typeof onProgress !== 'function') throw invalid('onProgress', 'must be a function')
  return { concurrency, chunkSize, resumeFrom, skipChunks: [...skipChunks] }
}

function assertInteger(name: string, value: unknown, lowest: number, highest?: number): void {
  const isRight = Number.isSafeInteger(value) && (value as number) >= lowest
  if (isRight && (highest === undefined || (value as number) <= highest)) return
  throw invalid(
    name,
    `must be a whole number${highest === undefined ? ` of ${lowest} or more` : ` from ${lowest} to ${highest}`}`,
  )
}

function invalid(name: string, reason: string): PpoppoError {
  return new PpoppoError('request_invalid', `sendMany: "${name}" ${reason}.`)
}
