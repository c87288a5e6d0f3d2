/* One call of the Messaging API in a process of its own, whose environment is what it is about. Prints what came of it. */
const [library, options] = process.argv.slice(2)
const { createMessaging } = await import(library)
const messaging = createMessaging(JSON.parse(options))
const outcome = await messaging.app.stats().then(
  ({ isActive }) => ({ isActive }),
  ({ code, message }) => ({ code, message }),
)
await messaging.close()
console.log(JSON.stringify(outcome))
