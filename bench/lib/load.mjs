import autocannon from 'autocannon'

/**
 * Sends `requests` GETs over `connections` keep-alive connections.
 * @returns requests per second, and the 50th and 99th percentile of latency in milliseconds
 * @throws Error where an answer is not 200
 */
export async function drive(url, { cookie, connections = 32, requests }) {
  const startedAt = performance.now()
  const result = await autocannon({
    url,
    connections,
    amount: requests,
    timeout: 30,
    headers: { accept: 'application/json', ...(cookie ? { cookie } : {}) },
  })
  const bad = result.non2xx + result.errors + result.timeouts
  if (bad > 0) throw new Error(`${bad} of ${requests} requests to ${url} failed`)
  return {
    perSecond: (requests / (performance.now() - startedAt)) * 1_000,
    p50: result.latency.p50,
    p99: result.latency.p99,
  }
}
