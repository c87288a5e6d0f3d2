import { get } from 'node:http'

const GIVE_UP_MS = 20_000

/**
 * One GET.
 * @param {{ cookie?: string }} person
 * @returns {Promise<{ from: number, to: number, status: number, text: string }>} status 0: no answer, `text` says why
 */
export function ask(url, { cookie }, agent) {
  const from = performance.now()
  return new Promise((resolve) => {
    const done = (status, text) => resolve({ from, to: performance.now(), status, text })
    const headers = { accept: 'application/json', ...(cookie && { cookie }) }
    const asking = get(url, { agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.once('error', (error) => done(0, error.message))
      answer.once('end', () => done(answer.statusCode, text))
    })
    asking.setTimeout(GIVE_UP_MS, () => asking.destroy(new Error(`no answer within ${GIVE_UP_MS} ms`)))
    asking.once('error', (error) => {
      // The server may close an idle connection while it is taken up again.
      if (asking.reusedSocket && error.code === 'ECONNRESET')
        resolve(ask(url, { cookie }, agent).then((answer) => ({ ...answer, from })))
      else done(0, error.message)
    })
  })
}
