/** The sandbox as a process: its CPU time must not count as an app's. */
import { startSandbox } from '../../sandbox/dist/index.js'

const sandbox = await startSandbox({ pasPort: 0, autoSignIn: 'alex' })
process.on('message', (message) => {
  if (message.set) sandbox.control.set(message.set)
  process.send(message.counters ? sandbox.control.counters() : { done: true })
})
process.once('disconnect', async () => {
  await sandbox.close()
  process.exit(0)
})
process.send({ issuer: sandbox.issuer })
