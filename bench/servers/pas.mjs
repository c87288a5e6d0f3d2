/**
 * The sandbox as a process: its CPU time must not count as an app's. `node pas.mjs [people]` has so many people, `person-0`
 * and so on, instead of its own.
 */
import { startSandbox } from '../../sandbox/dist/index.js'

const people = Number(process.argv[2] ?? 0)
const sandbox = await startSandbox({
  pasPort: 0,
  ...(people === 0 ? { autoSignIn: 'alex' } : { users: Array.from({ length: people }, (_, index) => toPerson(index)) }),
})
process.on('message', (message) => {
  if (message.set) sandbox.control.set(message.set)
  process.send(message.counters ? sandbox.control.counters : { done: true })
})
process.once('disconnect', async () => {
  await sandbox.close()
  process.exit(0)
})
process.send({ issuer: sandbox.issuer })

function toPerson(index) {
  const digits = String(index).padStart(7, '0')
  return {
    key: `person-${index}`,
    label: `Person ${index}`,
    sub: `01J9Z3K8Q2W4E6R8T00${digits}`,
    ppnum: `7770${digits}`,
    createdAt: '2025-01-15T09:30:00Z',
  }
}
