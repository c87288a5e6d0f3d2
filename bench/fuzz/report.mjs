const SHOWN = 5
const MEBIBYTE = 1024 * 1024
const HEAP_GROWTH = 8 * MEBIBYTE
const GUARDED = /"sub":"/

/** What was wrong with which answers. */
export class FuzzReport {
  #seed
  #requests
  #everyNth
  #sessionCookie
  /** @type {Map<number, number>} */
  #statuses = new Map()
  /** @type {Map<string, string[]>} */
  #wrong = new Map()

  /** @param {string} sessionCookie name */
  constructor({ seed, requests, sessionCookie }) {
    this.#everyNth = Math.ceil(requests / 10)
    this.#sessionCookie = sessionCookie
    this.#seed = seed
    this.#requests = requests
  }

  note(number, asked, { status, headers, text }) {
    if ((number + 1) % this.#everyNth === 0) console.log(`  ${number + 1}`)
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    const which = `${asked.method} ${asked.path.slice(0, 120)} -> ${status} (--seed ${this.#seed} --from ${number} --requests 1)`
    if (status === 0) this.#blame('no answer', `${which}: ${text}`)
    if (status >= 500 && status !== 503) this.#blame('failed', which)
    if (headers['set-cookie']?.some((line) => this.#isSession(line))) this.#blame('a session was created', which)
    // Who is nobody must not be told who somebody is.
    if (GUARDED.test(text)) this.#blame('signed in without a valid cookie', which)
  }

  /** @param {{ heapUsed: number, rss: number }} before */
  noteMemory(before, after) {
    const mebibytes = (bytes) => (bytes / MEBIBYTE).toFixed(1)
    console.log(
      `heap ${mebibytes(before.heapUsed)} -> ${mebibytes(after.heapUsed)} MiB, RSS ${mebibytes(before.rss)} -> ${mebibytes(after.rss)} MiB`,
    )
    if (after.heapUsed - before.heapUsed > HEAP_GROWTH)
      this.#blame('memory grew', `by ${mebibytes(after.heapUsed - before.heapUsed)} MiB`)
  }

  /** @param {{ keys: number }} before of what lives for long in Redis */
  noteStored(before, after) {
    if (after.keys > before.keys) this.#blame('something was stored for long', `${after.keys - before.keys} keys`)
  }

  noteSignedIn(status) {
    if (status !== 200) this.#blame('the real person is no longer signed in', `${status}`)
  }

  /** @returns {number} exit code */
  print() {
    const statuses = [...this.#statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
    console.log(`answers by status: ${statuses.join(', ')}`)
    for (const [what, texts] of this.#wrong) {
      console.log(`\n${what}: ${texts.length} times`)
      for (const text of texts.slice(0, SHOWN)) console.log(`  ${text}`)
    }
    const isGood = this.#wrong.size === 0
    console.log(`\n${this.#requests} requests, seed ${this.#seed}: ${isGood ? 'all as promised' : 'not as promised'}`)
    return isGood ? 0 : 1
  }

  /** A cookie that is cleared has an empty value. */
  #isSession(line) {
    return line.startsWith(`${this.#sessionCookie}=`) && !line.startsWith(`${this.#sessionCookie}=;`)
  }

  #blame(what, text) {
    const texts = this.#wrong.get(what) ?? []
    texts.push(text)
    this.#wrong.set(what, texts)
  }
}
