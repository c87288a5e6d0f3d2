const WITHIN_MS = 2_000
const SHOWN_FAULTS = 10
/** A public page that takes longer for one in ten: there is no promise to judge. */
const BUSY_MS = 500

/** Judges every answer: who got it, how long it took, and whether Redis's state excuses a 503. */
export class Judge {
  #faults
  #answers = []
  #probes = []
  /** @type {Map<string, string[]>} */
  #wrong = new Map()

  /** @param {import('./faults.mjs').FaultLog} faults */
  constructor(faults) {
    this.#faults = faults
  }

  /** An answer that a signed-in person got. */
  note(answer, { sub }) {
    const { from, to, status, text } = answer
    this.#answers.push({ from, to, status })
    if (status === 503) return
    if (status !== 200)
      return this.#blame(
        status === 0 ? 'no answer' : 'signed out, or failed',
        `${status} ${this.#whenWas(from)}: ${text.slice(0, 200)}`,
      )
    const answered = subIn(text)
    if (answered !== sub) this.#blame('an answer to the wrong person', `${sub} was taken for ${answered}`)
  }

  /** An answer that needs no Redis: how long it took is the app's and this machine's own work. */
  noteProbe({ from, to, status, text }) {
    this.#probes.push({ from, to })
    if (status !== 200) this.#blame('public page', `${status} ${this.#whenWas(from)}: ${text.slice(0, 200)}`)
  }

  /** Prints what happened. @returns {number} exit code */
  report() {
    for (const answer of this.#answers) this.#judgeTime(answer)
    this.#printPhases()
    const count = [...this.#wrong.values()].reduce((sum, texts) => sum + texts.length, 0)
    for (const [what, texts] of this.#wrong) {
      console.log(`\n${what}: ${texts.length} times`)
      for (const text of texts.slice(0, SHOWN_FAULTS)) console.log(`  ${text}`)
    }
    const people = `${this.#answers.length} answers, ${this.#answers.filter(({ status }) => status === 503).length} of them 503`
    console.log(count === 0 ? `\n${people}: all as promised` : `\n${people}: ${count} not as promised`)
    this.#warnIfBusy()
    return count === 0 ? 0 : 1
  }

  #warnIfBusy() {
    const times = this.#probes.map(({ from, to }) => to - from).sort((a, b) => a - b)
    const slowTenth = times[Math.floor(times.length * 0.9)] ?? 0
    if (slowTenth <= BUSY_MS) return
    console.log(
      `One public page in ten took more than ${Math.round(slowTenth)} ms: this machine was too busy for the load. Take fewer --per-second.`,
    )
  }

  #judgeTime({ from, to, status }) {
    const isExcused = this.#faults.faults.some(
      (fault) => fault.mayRefuse && to >= fault.from && from <= fault.to + WITHIN_MS,
    )
    if (status === 503 && !isExcused) this.#blame('503 although Redis was there', this.#whenWas(from))
    const ownMs = this.#ownWork(from, to)
    if (to - from > WITHIN_MS + ownMs) {
      const text = `${Math.round(to - from)} ms, of which ${Math.round(ownMs)} ms were own work, ${this.#whenWas(from)}`
      this.#blame(`took more than ${WITHIN_MS} ms plus own work`, text)
    }
  }

  /** The longest that an answer without Redis took at that time. */
  #ownWork(from, to) {
    return this.#probes.reduce(
      (most, one) => (one.to >= from && one.from <= to ? Math.max(most, one.to - one.from) : most),
      0,
    )
  }

  #whenWas(at) {
    const last = this.#faults.faults.findLast((fault) => fault.from <= at)
    if (!last) return 'before the first fault'
    return `${at <= last.to ? 'while' : `${Math.round(at - last.to)} ms after`} "${last.name}"`
  }

  #printPhases() {
    const rows = this.#faults.faults.map(({ name, from, to }, index, all) => {
      const until = all[index + 1]?.from ?? Number.POSITIVE_INFINITY
      const meanwhile = this.#answers.filter((one) => one.to >= from && one.from <= to)
      const after = this.#answers.filter((one) => one.from > to && one.to < until)
      const lastRefusal = after.filter(({ status }) => status === 503).at(-1)
      const recovered = lastRefusal ? `${Math.round(lastRefusal.from - to)} ms` : 'at once'
      return [name, ...describe(meanwhile), recovered]
    })
    const calm = this.#answers.filter(
      (one) => !this.#faults.faults.some(({ from, to }) => one.to >= from && one.from <= to + WITHIN_MS),
    )
    console.log(['', 'fault', 'answers', '503', 'median', 'p99', 'longest', 'recovered'].join('\t'))
    for (const row of [['none', ...describe(calm), ''], ...rows]) console.log(['', ...row].join('\t'))
  }

  #blame(what, text) {
    const texts = this.#wrong.get(what) ?? []
    texts.push(text)
    this.#wrong.set(what, texts)
  }
}

function describe(answers) {
  const times = answers.map(({ from, to }) => to - from).sort((a, b) => a - b)
  const at = (share) => `${Math.round(times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0)} ms`
  return [answers.length, answers.filter(({ status }) => status === 503).length, at(0.5), at(0.99), at(1)]
}

function subIn(text) {
  try {
    return JSON.parse(text).sub
  } catch {
    return undefined
  }
}
