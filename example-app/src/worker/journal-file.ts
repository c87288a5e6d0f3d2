/* What stands in the progress file. Somebody may have edited it, so it is looked at before it is believed. */

export interface JournalChunk {
  readonly index: number
  readonly recipients: number
  /** `unknown`: it may have been sent, and is not sent again. */
  readonly outcome: 'accepted' | 'rejected' | 'unknown'
  /** Ppoppo's id of the send, to ask how delivery went. */
  readonly sendRequestId?: string
  readonly error?: string
}

export interface JournalFile {
  readonly version: 1
  readonly sha256: string
  readonly template: string
  readonly chunkSize: number
  readonly resumeFrom: number
  readonly skipChunks: readonly number[]
  readonly isDone: boolean
  readonly chunks: readonly JournalChunk[]
}

export function isJournalFile(value: unknown): value is JournalFile {
  if (!isRecord(value)) return false
  const { version, sha256, template, chunkSize, resumeFrom, skipChunks, isDone, chunks } = value
  return (
    version === 1 &&
    typeof sha256 === 'string' &&
    typeof template === 'string' &&
    isIndex(chunkSize) &&
    isIndex(resumeFrom) &&
    Array.isArray(skipChunks) &&
    skipChunks.every(isIndex) &&
    typeof isDone === 'boolean' &&
    Array.isArray(chunks) &&
    chunks.every(isChunk)
  )
}

function isChunk(value: unknown): value is JournalChunk {
  if (!isRecord(value)) return false
  const { index, recipients, outcome } = value
  return isIndex(index) && isIndex(recipients) && ['accepted', 'rejected', 'unknown'].includes(String(outcome))
}

function isIndex(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function isRecord(
  value: unknown,
): value is Record<
  | 'version'
  | 'sha256'
  | 'template'
  | 'chunkSize'
  | 'resumeFrom'
  | 'skipChunks'
  | 'isDone'
  | 'chunks'
  | keyof JournalChunk,
  unknown
> {
  return typeof value === 'object' && value !== null
}
