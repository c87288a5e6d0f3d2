// A worker in a process of its own: node worker-script.mjs <folder of the library> <options as JSON>
import { pathToFileURL } from 'node:url'

const [library, json] = process.argv.slice(2)
const { messaging: client, cluster, concurrency, ...options } = JSON.parse(json)
const load = (file) => import(pathToFileURL(`${library}/${file}`).href)
const [{ createCampaigns }, { createMessaging }] = await Promise.all([
  load('campaigns/index.js'),
  load('messaging/index.js'),
])
let redis = options.redis
if (cluster !== undefined) {
  const { Cluster } = await import('ioredis')
  redis = new Cluster(cluster.map((port) => ({ host: '127.0.0.1', port })))
  redis.on('error', () => {})
}
const messaging = createMessaging(client)
const campaigns = createCampaigns({
  ...options,
  redis,
  messaging,
  onWarning: (text) => process.stderr.write(`${text}\n`),
})
campaigns.work({ concurrency })
process.stdout.write('working\n')
process.stdin.resume()
process.stdin.on('end', async () => {
  await campaigns.close()
  await messaging.close()
  redis?.disconnect?.()
})
