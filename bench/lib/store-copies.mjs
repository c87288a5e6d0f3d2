const BATCH = 2_000

/** Copies each key under a name that differs in the last characters before a brace or the end, with its time to live. */
const COPY = `
local first, count = tonumber(ARGV[1]), tonumber(ARGV[2])
for number = first, first + count - 1 do
  for _, key in ipairs(KEYS) do
    local tail = string.format('%010d', number)
    local at = string.find(key, '}', 1, true) or (#key + 1)
    redis.call('COPY', key, string.sub(key, 1, at - 1) .. tail .. string.sub(key, at))
  end
end
return count`

/**
 * Fills Redis as so many more sign-ins would: with copies of the keys that one of them has, made by Redis itself.
 * @param {Awaited<ReturnType<typeof import('./redis.mjs').startRedis>>} redis
 * @param {number} count
 */
export async function storeCopies({ client }, keys, count) {
  for (let first = 0; first < count; first += BATCH) {
    await client.eval(COPY, keys.length, ...keys, first, Math.min(BATCH, count - first))
  }
}
