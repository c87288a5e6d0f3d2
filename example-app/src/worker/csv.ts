/*
 * The list of numbers, read row by row with csv-parse: quotes, commas in quotes, CRLF, a byte order mark.
 *
 * It is read twice: once to check and count every row, once to send. Both use `rows()`, so
 * they agree on what a row is, and the chunks of a run that is resumed are those of the run before.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { parsePpnum, type Recipient } from 'express-ppoppo/messaging'
import { toPrintable } from '../visible.js'
import { requireUtf8 } from './utf8.js'
import { WrongInput } from './wrong-input.js'

export interface CsvSurvey {
  /** Different numbers. */
  readonly recipients: number
  readonly duplicates: number
  /** Rows with an invalid number: how many, and the first of them. */
  readonly bad: { readonly count: number; readonly lines: readonly string[] }
  /** Of the whole file: a list that has changed is another list. */
  readonly sha256: string
}

const MOST_BAD_LINES = 10

/** Checks every row. @throws WrongInput for a file that cannot be read or is no such CSV */
export async function surveyCsv(file: string): Promise<CsvSurvey> {
  const hash = createHash('sha256')
  const lines: string[] = []
  // Numbers take a third of the room that texts would. Those a double cannot hold stay texts.
  const seen = new Set<number | string>()
  let rowCount = 0
  let badCount = 0
  for await (const row of rows(file, (bytes) => hash.update(bytes))) {
    rowCount += 1
    if ('recipient' in row) {
      const { ppnum } = row.recipient
      seen.add(ppnum.length <= 15 && !ppnum.startsWith('0') ? Number(ppnum) : ppnum)
      continue
    }
    badCount += 1
    if (lines.length < MOST_BAD_LINES) lines.push(`line ${row.line}: ${row.problem}`)
  }
  if (rowCount === 0) throw new WrongInput(`${file} has no rows below its header line.`)
  return {
    recipients: seen.size,
    duplicates: rowCount - badCount - seen.size,
    bad: { count: badCount, lines },
    sha256: hash.digest('hex'),
  }
}

/** The recipients in order, without the rows that `surveyCsv` found bad. */
export async function* readRecipients(file: string): AsyncGenerator<Recipient> {
  for await (const row of rows(file)) if ('recipient' in row) yield row.recipient
}

type Row = { readonly recipient: Recipient } | { readonly line: number; readonly problem: string }

async function* rows(file: string, onBytes?: (bytes: Buffer) => void): AsyncGenerator<Row> {
  const source = createReadStream(file)
  if (onBytes !== undefined) source.on('data', (bytes) => onBytes(Buffer.from(bytes)))
  const parser = parse({ bom: true, columns: checkHeader, skip_empty_lines: true, trim: true, info: true })
  // Its callback has nothing to do: what fails anywhere in it ends the parser, whose reader hears of it.
  pipeline(source, requireUtf8(), parser, () => {})
  try {
    for await (const entry of parser) {
      const { record, info } = entry as { record: Readonly<Record<string, string>>; info: { lines: number } }
      yield toRow(record, info.lines)
    }
  } catch (error) {
    throw wrongFile(file, error)
  } finally {
    source.destroy()
  }
}

/** One name, however it was typed: macOS may have decomposed it, and placeholders are in NFC. */
function checkHeader(typed: readonly string[]): string[] {
  const names = typed.map((name) => name.normalize('NFC'))
  if (!names.includes('ppnum'))
    throw new WrongInput('its header line has no column "ppnum" (columns are separated by commas).')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new WrongInput(`its header line has the column "${twice}" twice.`)
  return names
}

/** Every value is a text: a CSV does not say which of them were meant as numbers, and postcodes begin with 0. */
function toRow({ ppnum = '', ...vars }: Readonly<Record<string, string>>, line: number): Row {
  try {
    return { recipient: { ppnum: parsePpnum(ppnum), ...(Object.keys(vars).length > 0 && { vars }) } }
  } catch {
    const shown = ppnum.length > 24 ? `${ppnum.slice(0, 24)}…` : ppnum
    return {
      line,
      problem:
        ppnum === '' ? 'there is no number' : `"${toPrintable(shown)}" is not a Ppoppo number (11 digits or more)`,
    }
  }
}

function wrongFile(file: string, error: unknown): unknown {
  if (error instanceof WrongInput) return new WrongInput(`${file}: ${error.message}`)
  if (error instanceof CsvError) return new WrongInput(`${file} is no proper CSV: ${error.message}`)
  if (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'EISDIR'].includes(String(error.code))) {
    return new WrongInput(`${file} cannot be read (${String(error.code)}).`)
  }
  return error
}
