/* One line that grows, on a terminal; a line for each chunk, in a log. */
import type { WriteStream } from 'node:tty'
import type { Counts } from './journal.js'

export interface ProgressBar {
  draw(counts: Counts): void
  /** A line of its own, above the bar. */
  say(line: string): void
  end(): void
}

type Output = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>

export interface ProgressBarParts {
  readonly output: Output
  /** Recipients in all. */
  readonly total: number
}

export function createProgressBar({ output, total }: ProgressBarParts): ProgressBar {
  const isTerminal = output.isTTY === true
  let drawn = ''
  const paint = (line: string) => {
    if (line === drawn) return
    output.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
    drawn = line
  }
  return {
    // Some terminals do not know their width, and say 0.
    draw: (counts) => paint(isTerminal ? bar(counts, total, output.columns || 80) : figures(counts, total)),
    say(line) {
      if (!isTerminal) return paint(line)
      output.write(`\r\x1b[K${line}\n${drawn}`)
    },
    end() {
      if (isTerminal && drawn !== '') output.write('\n')
    },
  }
}

function bar(counts: Counts, total: number, columns: number): string {
  const text = figures(counts, total)
  const width = Math.min(40, columns - text.length - 4)
  if (width < 8) return text.slice(0, Math.max(0, columns - 1))
  const done = Math.floor((settled(counts) / Math.max(1, total)) * width)
  return `[${'█'.repeat(done)}${'·'.repeat(width - done)}] ${text}`
}

function figures(counts: Counts, total: number): string {
  const percent = Math.floor((settled(counts) / Math.max(1, total)) * 100)
  const { accepted, rejected, unknown } = counts
  const rest = `${rejected > 0 ? `, ${rejected.toLocaleString('en')} rejected` : ''}${unknown > 0 ? `, ${unknown.toLocaleString('en')} unknown` : ''}`
  return `${percent} % · ${accepted.toLocaleString('en')} of ${total.toLocaleString('en')} accepted${rest}`
}

const settled = ({ accepted, rejected, unknown }: Counts): number => accepted + rejected + unknown
