/* The content of the progress file. Somebody may have edited it, so it is checked before it is used. */
import type { ResumePart } from 'express-ppoppo/messaging'

/** A chunk, or a part of one that was sent in several calls. */
export interface JournalChunk {
  readonly index: number
  /** Place of its first recipient in the chunk. @default 0 */
  readonly from?: number
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
  /** Of chunks that are not sent again: what was not accepted, and is. */
  readonly resumeParts?: readonly ResumePart[]
  readonly isDone: boolean
  readonly chunks: readonly JournalChunk[]
  /** Numbers that Ppoppo refused one by one: those are not sent to again. */
  readonly refused?: readonly Refused[]
}

export interface Refused {
  readonly ppnum: string
  readonly code: string
}

export function isJournalFile(value: unknown): value is JournalFile {
  if (!isRecord(value)) return false
  const { version, sha256, template, chunkSize, resumeFrom, skipChunks, isDone, chunks } = value
  const { resumeParts = [], refused = [] } = value
  return (
    version === 1 &&
    typeof sha256 === 'string' &&
    typeof template === 'string' &&
    isIndex(chunkSize) &&
    isIndex(resumeFrom) &&
    Array.isArray(skipChunks) &&
    skipChunks.every(isIndex) &&
    Array.isArray(resumeParts) &&
    resumeParts.every(isPart) &&
    Array.isArray(refused) &&
    refused.every((one) => isRecord(one) && typeof one.ppnum === 'string' && typeof one.code === 'string') &&
    typeof isDone === 'boolean' &&
    Array.isArray(chunks) &&
    chunks.every(isChunk)
  )
}

function isChunk(value: unknown): value is JournalChunk {
  if (!isRecord(value)) return false
  const { index, from = 0, recipients, outcome } = value
  return (
    isIndex(index) &&
    isIndex(from) &&
    isIndex(recipients) &&
    ['accepted', 'rejected', 'unknown'].includes(String(outcome))
  )
}

function isPart(value: unknown): boolean {
  return isRecord(value) && isIndex(value.chunk) && isIndex(value.from) && isIndex(value.to)
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
  | 'resumeParts'
  | 'refused'
  | keyof JournalChunk
  | keyof ResumePart
  | keyof Refused,
  unknown
> {
  return typeof value === 'object' && value !== null
}
