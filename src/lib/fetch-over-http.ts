import { Agent as HttpAgent, globalAgent as httpGlobal, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, globalAgent as httpsGlobal, request as requestHttps } from 'node:https'
import type { FetchAnswer, FetchRequest } from './http.js'
import { onAbort } from './on-abort.js'

/** Four seconds: less than the five after which many servers close a connection, because a request that meets the closing fails. */
const KEPT_OPEN = { keepAlive: true, timeout: 4_000 }

/** Connections to ask with; as Node's own agents, which know the proxies of `NODE_USE_ENV_PROXY`. */
let agents: { readonly http: HttpAgent; readonly https: HttpsAgent } | undefined

/**
 * A `fetch` by `node:http` and `node:https`, for as much of it as the library needs: a quarter of the time of Node's own,
 * which reads every body through a web stream. It follows no redirect, and keeps connections open for four seconds.
 */
export function fetchOverHttp(url: string, { method, headers, body, signal }: FetchRequest): Promise<FetchAnswer> {
  agents ??= {
    http: new HttpAgent({ ...optionsOf(httpGlobal), ...KEPT_OPEN }),
    // Said by name, so that a server of HTTP/2 alone refuses the handshake, instead of an answer that nobody can read.
    https: new HttpsAgent({ ...optionsOf(httpsGlobal), ...KEPT_OPEN, ALPNProtocols: ['http/1.1'] }),
  }
  const [send, agent] = url.startsWith('https:') ? [requestHttps, agents.https] : [requestHttp, agents.http]
  return new Promise((resolve, reject) => {
    // The body is not decoded, so it must not be compressed.
    const sent = send(url, { method, headers: { 'accept-encoding': 'identity', ...headers }, agent })
    const unsubscribe = onAbort(signal, () => sent.destroy())
    sent.once('close', unsubscribe)
    sent.on('error', reject)
    sent.once('response', (response: IncomingMessage) => {
      resolve({
        status: response.statusCode ?? 0,
        headers: { get: (name) => response.headers[name.toLowerCase()]?.toString() ?? null },
        body: response,
      })
    })
    sent.end(body)
  })
}

/** Node's types leave them out for `node:http`. */
function optionsOf(agent: HttpAgent): object {
  return Object(Reflect.get(agent, 'options'))
}
