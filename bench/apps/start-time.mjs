/**
 * What starting costs: `node start-time.mjs <kind> <options as JSON>` imports an app and creates it, and sends to its parent
 * the milliseconds that took since the process began, and the CPU time.
 */
const [kind, json] = process.argv.slice(2)
const { createApp } = await import(`./${kind}.mjs`)
await createApp(JSON.parse(json))
const tookMs = performance.now()
const { user, system } = process.cpuUsage()
process.send({ tookMs, cpuMicros: user + system }, () => process.exit(0))
