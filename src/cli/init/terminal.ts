import { createInterface } from 'node:readline/promises'

/** Asks the person at the terminal. */
export interface Terminal {
  /** Whether there is one: somebody can read and answer. */
  readonly isInteractive: boolean
  /** Asks a question. @returns the answer, `''` at the end of the input */
  ask(question: string): Promise<string>
}

/** The terminal of this process. */
export const processTerminal: Terminal = {
  isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  async ask(question) {
    const lines = createInterface({ input: process.stdin, output: process.stdout })
    try {
      const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
      return await Promise.race([lines.question(question), closed])
    } finally {
      lines.close()
    }
  },
}
