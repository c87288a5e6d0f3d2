import { describe, expect, test } from '@jest/globals'
import { createProgressBar } from '../src/worker/progress-bar.js'

/** What a terminal, or a log, would have got. */
function draw(output: { readonly isTTY?: boolean; readonly columns?: number }): readonly string[] {
  const written: string[] = []
  const write = (text: unknown) => written.push(String(text)) > 0
  const bar = createProgressBar({ output: { ...output, write }, total: 2_000 })
  bar.draw({ accepted: 0, rejected: 0, unknown: 0 })
  bar.draw({ accepted: 1_000, rejected: 0, unknown: 0 })
  bar.draw({ accepted: 1_000, rejected: 0, unknown: 0 })
  bar.say('Stopping.')
  bar.draw({ accepted: 1_000, rejected: 500, unknown: 500 })
  bar.end()
  return written
}

describe('the progress of the worker', () => {
  test('is a bar on a terminal, drawn over itself', () => {
    const written = draw({ isTTY: true, columns: 100 })
    expect(written[1]).toBe(`\r\x1b[K[${'█'.repeat(20)}${'·'.repeat(20)}] 50 % · 1,000 of 2,000 accepted`)
    expect(written[2]?.startsWith('\r\x1b[KStopping.\n[█')).toBe(true)
    expect(written[3]).toContain('100 % · 1,000 of 2,000 accepted, 500 rejected, 500 unknown')
    expect(written[4]).toBe('\n')
  })

  test('fits a narrow terminal, and one that does not know its width', () => {
    for (const line of draw({ isTTY: true, columns: 30 }))
      expect(line.replace('\r\x1b[K', '').split('\n').at(-1)?.length).toBeLessThan(30)
    expect(draw({ isTTY: true, columns: 0 })[1]).toContain('50 % · 1,000 of 2,000 accepted')
  })

  test('is a line for each step in a log', () => {
    expect(draw({})).toEqual([
      '0 % · 0 of 2,000 accepted\n',
      '50 % · 1,000 of 2,000 accepted\n',
      'Stopping.\n',
      '100 % · 1,000 of 2,000 accepted, 500 rejected, 500 unknown\n',
    ])
  })
})
