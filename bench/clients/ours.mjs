import { createMessaging } from '../../dist/messaging/index.js'

/** The Messaging client of express-ppoppo. */
export function createClient({ target, tokenUrl }) {
  const messaging = createMessaging({
    environment: 'local',
    apiUrl: `http://${target}`,
    tokenUrl,
    clientId: 'bench_client',
    clientSecret: 'a secret that nobody checks',
  })
  return {
    stats: () => messaging.app.stats(),
    send: (recipients) => messaging.send({ templateId: 'tpl_bench', recipients }),
    /** Reads so many events. @returns when the first came */
    async events(count) {
      let seen = 0
      let firstAt
      for await (const event of messaging.events()) {
        if (seen === 0) firstAt = performance.now()
        if (event.eventId === '') throw new Error('an event without id')
        seen += 1
        if (seen === count) return firstAt
      }
      throw new Error(`the stream ended after ${seen} events`)
    },
  }
}
