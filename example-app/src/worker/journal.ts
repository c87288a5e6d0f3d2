/*
 * How far a run came, in `<list>.progress.json` beside the list. It is written before the first chunk (a file that cannot
 * be written must stop the run before anything is sent) and after each, to a new file that then replaces the old one:
 * a power failure never leaves half a file.
 *
 * It belongs to one list, template and chunk size, and says so: if one of them changed, "resume at chunk 7" would mean
 * other people.
 */
import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import type { SendManyProgress, SendManyReport } from 'express-ppoppo/messaging'
import type { WorkerArgs } from './args.js'
import { ChunkLog } from './chunk-log.js'
import type { CsvSurvey } from './csv.js'
import { isJournalFile, type JournalChunk, type JournalFile, type Refused } from './journal-file.js'
import { codeOf, WrongInput } from './wrong-input.js'

export interface Counts {
  readonly accepted: number
  readonly rejected: number
  readonly unknown: number
}

export interface Journal {
  readonly file: string
  /** All has been sent, by this run or an earlier one. */
  readonly isDone: boolean
  readonly isResumed: boolean
  /** Where to resume, as `sendMany` takes it. */
  readonly position: Position
  /** Chunks, and parts of such as were sent in several calls. */
  readonly chunks: readonly JournalChunk[]
  /** Numbers that Ppoppo refused one by one. */
  readonly refused: readonly Refused[]
  /** Over all runs. */
  counts(): Counts
  /** To be called before anything is sent. @throws WrongInput where the file cannot be written */
  start(): Promise<void>
  record(progress: SendManyProgress): Promise<void>
  /** What the report knows beyond the progress that was told: chunks that were cut off. */
  close(report: SendManyReport, end: { readonly isDone: boolean }): Promise<void>
}

type Position = Pick<SendManyReport, 'resumeFrom' | 'skipChunks' | 'resumeParts'>

type JournalArgs = Pick<WorkerArgs, 'file' | 'template' | 'chunkSize' | 'startOver'>

export const progressFileOf = ({ file }: Pick<WorkerArgs, 'file'>): string => `${file}.progress.json`

/** @throws WrongInput where there is one of another list, template or chunk size */
export function openJournal(args: JournalArgs, { sha256 }: Pick<CsvSurvey, 'sha256'>): Journal {
  const file = progressFileOf(args)
  const { template, chunkSize } = args
  const fresh: JournalFile = {
    version: 1,
    sha256,
    template,
    chunkSize,
    resumeFrom: 0,
    skipChunks: [],
    isDone: false,
    chunks: [],
  }
  const earlier = args.startOver ? undefined : readJournal(file)
  if (earlier !== undefined) assertSame(earlier, fresh, file)
  let state = earlier ?? fresh
  const chunks = new ChunkLog(state.chunks)
  const refused = new Map((state.refused ?? []).map((one) => [one.ppnum, one]))

  const save = async (position: Position, isDone: boolean) => {
    const { resumeParts: _, ...before } = state
    state = {
      ...before,
      ...position,
      isDone,
      chunks: chunks.all,
      ...(refused.size > 0 && { refused: [...refused.values()] }),
    }
    await replaceFile(file, `${JSON.stringify(state, undefined, 2)}\n`)
  }
  return {
    file,
    get isDone() {
      return state.isDone
    },
    isResumed: earlier !== undefined,
    position: positionOf(state),
    get chunks() {
      return chunks.all
    },
    get refused() {
      return [...refused.values()]
    },
    counts: () => count(chunks.all),
    async start() {
      try {
        await save(positionOf(state), false)
      } catch (error) {
        if (codeOf(error) === undefined) throw error
        throw new WrongInput(`Nothing was sent: ${file} cannot be written (${codeOf(error)}).`)
      }
    },
    async record(progress) {
      chunks.add(progress.chunk)
      await save(positionOf(progress), false)
    },
    async close(report, { isDone }) {
      for (const chunk of report.chunks) chunks.add(chunk)
      for (const { ppnum, code } of report.invalidRecipients ?? [])
        if (ppnum !== undefined) refused.set(ppnum, { ppnum, code })
      await save(positionOf(report), isDone)
    },
  }
}

function positionOf({ resumeFrom, skipChunks, resumeParts = [] }: Position): Position {
  return { resumeFrom, skipChunks, ...(resumeParts.length > 0 && { resumeParts }) }
}

function count(chunks: readonly JournalChunk[]): Counts {
  const sum = (outcome: JournalChunk['outcome']) =>
    chunks.reduce((total, chunk) => total + (chunk.outcome === outcome ? chunk.recipients : 0), 0)
  return { accepted: sum('accepted'), rejected: sum('rejected'), unknown: sum('unknown') }
}

function readJournal(file: string): JournalFile | undefined {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (isJournalFile(content)) return content
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new WrongInput(`${file} is not a progress file of this worker. Move it away, or say --start-over.`)
}

function assertSame(earlier: JournalFile, now: JournalFile, file: string): void {
  const what =
    earlier.sha256 !== now.sha256
      ? 'the list has changed since'
      : earlier.template !== now.template
        ? `it was about template ${earlier.template}`
        : earlier.chunkSize !== now.chunkSize
          ? `it was with --chunk-size ${earlier.chunkSize}`
          : undefined
  if (what === undefined) return
  throw new WrongInput(`${file} is of another run: ${what}. To send to everybody on the list, say --start-over.`)
}

async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.new`
  const handle = await open(draft, 'w')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, file)
}
