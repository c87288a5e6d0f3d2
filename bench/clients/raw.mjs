import { credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { LOADER_OPTIONS, PROTO } from '../lib/messages.mjs'

const TOKEN = 'a'.repeat(700)

/** The bare stub of grpc-js and proto-loader, as their READMEs have it, with a token that never expires. */
export function createClient({ target }) {
  const { external } = loadPackageDefinition(loadSync(PROTO, LOADER_OPTIONS)).chat
  const app = new external.ExternalAppService(target, credentials.createInsecure())
  const messages = new external.ExternalMessageService(target, credentials.createInsecure())
  const metadata = () => {
    const made = new Metadata()
    made.set('authorization', `Bearer ${TOKEN}`)
    return made
  }
  const call = (stub, method, request) =>
    new Promise((resolve, reject) => {
      stub[method](request, metadata(), (error, answer) => (error ? reject(error) : resolve(answer)))
    })
  return {
    stats: () => call(app, 'getAppStats', {}),
    send: (recipients) => {
      const wire = recipients.map(({ ppnum, vars }) => ({ ppnum, vars: toStruct(vars) }))
      return call(messages, 'createSendRequest', { template_id: 'tpl_bench', recipients: wire })
    },
    /** Reads so many events. @returns when the first came */
    async events(count) {
      const stream = messages.streamSendRequestEvents({}, metadata())
      let seen = 0
      let firstAt
      try {
        for await (const event of stream) {
          if (seen === 0) firstAt = performance.now()
          if (event.event_id === '') throw new Error('an event without id')
          seen += 1
          if (seen === count) return firstAt
        }
      } finally {
        stream.on('error', () => {})
        stream.cancel()
      }
      throw new Error(`the stream ended after ${seen} events`)
    },
  }
}

function toStruct(vars) {
  return { fields: Object.fromEntries(Object.entries(vars).map(([name, text]) => [name, { stringValue: text }])) }
}
