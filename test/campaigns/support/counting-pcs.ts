import type { Answer, FakePcs, SeenCall } from '../../messaging/support/fake-pcs.js'
import { startFakePcs } from '../../messaging/support/fake-pcs.js'
import {
  CLIENT,
  type FakeTokenEndpoint,
  sendJson,
  startTokenEndpoint,
} from '../../messaging/support/fake-token-endpoint.js'

/** A gRPC server that counts for each ppnum how often it was sent to; it keeps nothing else of a request. */
export interface CountingPcs {
  readonly apiUrl: string
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  /** Sends that were accepted, by ppnum. */
  readonly counts: ReadonlyMap<string, number>
  /** When each call came, in milliseconds since the epoch, oldest first. */
  readonly calls: readonly number[]
  /** Template of each call, in the same order. */
  readonly templates: readonly string[]
  /** Instead of accepting a send. `undefined`: accept it. */
  refuse: (recipients: readonly string[], templateId: string) => Answer | 'silence' | undefined
  /** Whether the token endpoint refuses the app's credentials. */
  refusesCredentials: boolean
  /** How long a send takes. It counts when it comes, so that a worker killed meanwhile leaves it in doubt. */
  takesMs: number
  /** Id and size of each accepted send, oldest first. */
  readonly sends: readonly { readonly id: string; readonly size: number; readonly first: string }[]
  /** How many ppnums were sent to more than once. */
  twice(): number
  close(): Promise<void>
}

export async function startCountingPcs(): Promise<CountingPcs> {
  const [fake, token]: [FakePcs, FakeTokenEndpoint] = await Promise.all([startFakePcs(), startTokenEndpoint()])
  const counts = new Map<string, number>()
  const calls: number[] = []
  const templates: string[] = []
  const sends: { id: string; size: number; first: string }[] = []
  fake.answer = (call) => {
    fake.calls.length = 0
    return call.method === 'CreateSendRequest' ? answerSend(call) : answerStatus(call)
  }

  function answerSend({ request }: SeenCall): Answer {
    const templateId = String(request['template_id'])
    const recipients = (request['recipients'] as { ppnum: string }[]).map(({ ppnum }) => ppnum)
    calls.push(Date.now())
    templates.push(templateId)
    const refused = pcs.refuse(recipients, templateId)
    if (refused === 'silence') return undefined
    if (refused !== undefined) return refused
    for (const ppnum of recipients) counts.set(ppnum, (counts.get(ppnum) ?? 0) + 1)
    const id = `snd_${sends.length}`
    sends.push({ id, size: recipients.length, first: recipients[0] ?? '' })
    return { ok: { id, status: 'QUEUED', total_recipients: recipients.length } }
  }

  function answerStatus({ request }: SeenCall): Answer {
    const send = sends.find(({ id }) => Object.values(request).includes(id))
    if (send === undefined) return { code: 5, details: 'no such send' }
    return { ok: { status: 'COMPLETED', total: send.size } }
  }

  token.answer = (response) => {
    if (pcs.refusesCredentials) sendJson(response, 401, { error: 'invalid_client' })
    else sendJson(response, 200, { access_token: 'tok', token_type: 'Bearer', expires_in: 3_600 })
  }

  const pcs: CountingPcs = {
    apiUrl: fake.url,
    tokenUrl: token.url,
    ...CLIENT,
    counts,
    calls,
    templates,
    sends,
    refuse: () => undefined,
    refusesCredentials: false,
    get takesMs() {
      return fake.takesMs
    },
    set takesMs(ms) {
      fake.takesMs = ms
    },
    twice: () => [...counts.values()].filter((count) => count > 1).length,
    async close() {
      fake.close()
      await token.close()
    },
  }
  return pcs
}
