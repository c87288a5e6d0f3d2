const THINGS = ['message', 'payload', 'request', 'entity', 'content', 'body', 'size', 'length']
const TOO = ['large', 'big', 'long']
const MEASURES = ['size', 'length']
/** HTTP 413 as a gateway's status has it. */
const WHOLE_TEXTS = ['payload', 'content', 'request entity', 'request body'].map((thing) => `${thing} too large`)

/** What servers say of size: grpc-js, C++ and Go ("larger than max"), tonic ("too large"), Java and .NET ("exceeds"). */
export function speaksOfSize(details: string): boolean {
  // By phrases: words of two sentences say nothing together.
  return details
    .toLowerCase()
    .split(/[^\w ]+/)
    .some((phrase) => isAboutSize(phrase.split(' ').filter((word) => word !== '')))
}

/** What nothing but size means, whatever its code: as Envoy has it, older tonic, and Java. */
export function speaksOfSizeOnly(details: string): boolean {
  const text = details.toLowerCase()
  if (WHOLE_TEXTS.includes(text) || text.includes('message length too large')) return true
  return /grpc message exceeds maximum size \d/.test(text)
}

function isAboutSize(words: readonly string[]): boolean {
  return words.some((word, at) => {
    const [next = '', afterNext = ''] = words.slice(at + 1, at + 3)
    if (word === 'larger' && next === 'than') {
      const limit = afterNext === 'the' ? (words[at + 3] ?? '') : afterNext
      return ['max', 'limit', 'allowed'].some((name) => limit.startsWith(name))
    }
    if (THINGS.includes(word) && isTooLarge(next === 'is' ? words.slice(at + 2, at + 4) : [next, afterNext]))
      return true
    const near = words.slice(at + 1, at + 5)
    if (word === 'exceed' || word === 'exceeds') {
      return (next === 'the' ? words.slice(at + 2, at + 6) : near).some((measure) => MEASURES.includes(measure))
    }
    return MEASURES.includes(word) && near.some((verb) => verb.startsWith('exceed'))
  })
}

function isTooLarge([too, large = '']: readonly string[]): boolean {
  return too === 'too' && TOO.includes(large)
}
