/**
 * `app-script.mjs` in two workers of node:cluster that take turns, started and ended as that one is: the first line is
 * the address, after that a line per event of either worker.
 */
import cluster from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

cluster.setupPrimary({
  exec: fileURLToPath(new URL('app-script.mjs', import.meta.url)),
  args: process.argv.slice(2),
  silent: true,
})
const workers = [cluster.fork(), cluster.fork()]
let [url, early] = ['', '']
const started = workers.map(({ process: child }) => {
  child.stderr.pipe(process.stderr)
  return new Promise((resolve) => {
    let rest = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        if (line.startsWith('{')) {
          if (url === '') early += `${line}\n`
          else console.log(line)
        } else resolve(line)
      }
    })
  })
})
const urls = await Promise.all(started)
url = urls[0]
console.log(url)
process.stdout.write(early)

process.stdin.resume()
await once(process.stdin, 'end')
for (const worker of workers) worker.process.stdin.end()
await Promise.all(workers.map((worker) => once(worker, 'exit')))
cluster.disconnect()
