import autocannon from 'autocannon'

/**
 * Sends `requests` GETs over `connections` keep-alive connections.
 * @returns requests per second
 * @throws Error where an answer is not 200
 */
export async function drive(url, { cookie, connections = 32, requests }) {
  const startedAt = performance.now()
  // autocannon itself ends, and takes the time, at a full second.
  let lastAt = startedAt
  const result = await new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(cookie ? { cookie } : {}) }
    const options = { url, connections, amount: requests, timeout: 30, headers }
    const run = autocannon(options, (error, done) => (error ? reject(error) : resolve(done)))
    run.on('response', () => {
      lastAt = performance.now()
    })
  })
  const bad = result.non2xx + result.errors + result.timeouts
  if (bad > 0) throw new Error(`${bad} of ${requests} requests to ${url} failed`)
  return { perSecond: (requests / (lastAt - startedAt)) * 1_000 }
}
