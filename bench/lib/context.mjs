/**
 * What each benchmark is given.
 * @typedef {object} Context
 * @property {Awaited<ReturnType<typeof import('./redis.mjs').startRedis>>} redis
 * @property {Awaited<ReturnType<typeof import('./pas.mjs').startPas>>} pas
 * @property {boolean} isQuick few requests, to see that it works: its figures mean nothing
 * @property {number} rounds
 * @property {(contender: string) => string | undefined} profileOf the file to write a contender's CPU profile to
 * @property {number} stored sign-ins of express-ppoppo that are in Redis besides those that ask
 * @property {(text: string) => void} log
 */
