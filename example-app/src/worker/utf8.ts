import { isUtf8 } from 'node:buffer'
import { Transform } from 'node:stream'
import { WrongInput } from './wrong-input.js'

const LF = 0x0a
const LONGEST_LINE_BYTES = 1_048_576
/** ISO 2022 (Korean and Japanese mail) writes letters in ASCII bytes behind one of these. */
const SHIFTS: readonly Buffer[] = ['\x1b$', '\x1b(', '\x0e'].map((text) => Buffer.from(text))
/** What a program writes for a letter it could not read: the letter is lost. */
const LOST = Buffer.from('\ufffd')
const ADVICE = 'Save the list as "CSV UTF-8" (in Excel: Save As, CSV UTF-8) and try again.'

/**
 * Lets UTF-8 through and stops at the first line that is something else. Excel's plain "CSV" is in the encoding of the
 * country, CP949 in Korea, and names from it would go out as other letters.
 */
export function requireUtf8(): Transform {
  let lineNumber = 0
  let begun: Buffer = Buffer.alloc(0)

  function check(line: Buffer): void {
    lineNumber += 1
    if (line.includes(LOST))
      throw new WrongInput(`line ${lineNumber} holds \ufffd: letters were lost when it was saved before. ${ADVICE}`)
    if (isUtf8(line) && !line.includes(0) && !SHIFTS.some((shift) => line.includes(shift))) return
    throw new WrongInput(`line ${lineNumber} is not UTF-8 text. ${ADVICE}`)
  }

  function checkLines(bytes: Buffer): void {
    let text = begun.length > 0 ? Buffer.concat([begun, bytes]) : bytes
    for (let end = text.indexOf(LF); end >= 0; end = text.indexOf(LF)) {
      check(text.subarray(0, end))
      text = text.subarray(end + 1)
    }
    if (text.length > LONGEST_LINE_BYTES) throw new WrongInput(`line ${lineNumber + 1} is longer than 1 MB.`)
    begun = text
  }

  const settled = (work: () => void, done: (error?: Error | null) => void): void => {
    try {
      work()
    } catch (error) {
      return done(error instanceof Error ? error : new Error(String(error)))
    }
    done()
  }
  return new Transform({
    transform(bytes: Buffer, _encoding, done) {
      settled(
        () => checkLines(bytes),
        (error) => (error ? done(error) : done(null, bytes)),
      )
    },
    flush: (done) => settled(() => check(begun), done),
  })
}
