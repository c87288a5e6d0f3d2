/** Preloaded into the servers of `npm start`: when the process that started them is gone, however it went, they go too. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// Listening alone would keep a server alive that has closed.
process.channel?.unref()
