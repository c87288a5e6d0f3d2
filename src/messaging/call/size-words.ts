const THINGS = ['message', 'payload', 'request', 'entity', 'content', 'body', 'size', 'length', 'frame', 'batch']
const MEASURES = ['size', 'length']
/** What a limit of its own is about size only; one of messages or requests may be a quota. */
const MATTER = ['payload', 'body', 'entity', 'frame']
/** A limit of so much in a time. */
const OF_RATE = ['rate', 'quota', 'second', 'minute', 'hour', 'day', 'today', 'daily', 'month', 'monthly']
const COMPARED = ['larger', 'bigger', 'longer', 'greater']
const TOO = ['large', 'big', 'long']
/** An amount of data: `4MB`, or `MB` behind its number. */
const DATA = /^\d{0,15}(?:[kmg]i?b|bytes?)$/
/** HTTP 413 as a gateway's status has it, and what HTTP servers say of a body they stop reading. */
const WHOLE_TEXTS = [
  ...['payload', 'content', 'request entity', 'request body'].map((thing) => `${thing} too large`),
  'http: request body too large',
  'length limit exceeded',
]
/** Nothing but HTTP's own number beside its own words, as Go has it: `unexpected HTTP status code received from server: 413 (Payload Too Large)`. */
const HTTP_413 =
  /^(?:unexpected http status code received from server: )?413 {0,3}\(?(?:payload|content|request entity) too large\b/
/** Of servers that give no code of their own for it: older tonic, Java and Go. */
const ONLY_SIZE =
  /message length too large|grpc message exceeds maximum size \d|frame (?:size \d{1,15} )?exceeds maximum(?: frame size)?: \d|message length \d{1,15} exceeding the max size/
/** Of an answer, whatever else is said: tonic has "encoded". */
const OF_REPLY = /\b(encoded|response|reply)\b/i
/** grpc-js and C++ ("Sent"), Go ("trying to send"). */
const SENT = /\b(send|sent)\b/i
/** What the other side says of us: `the message you sent`, `client intended to send`. */
const SENT_BY_US = /\b(you|client) (have |had |has |intended to |tried to )?(send|sent)\b/i

/** What servers say of size: grpc-js, C++ and Go ("larger than max"), tonic ("too large"), Java and .NET ("exceeds"). */
export function speaksOfSize(details: string): boolean {
  // By phrases: words of two sentences say nothing together. What joins words (`_`, `-`) parts none.
  return details
    .toLowerCase()
    .replace(/[_-]/g, ' ')
    .split(/[^\w ]+/)
    .some((phrase) => isAboutSize(phrase.split(' ').filter((word) => word !== '')))
}

/** What nothing but size means, whatever its code: as Envoy has it, older tonic, and Java. */
export function speaksOfSizeOnly(details: string): boolean {
  return (
    WHOLE_TEXTS.includes(details.toLowerCase()) || speaksOfHttp413(details) || ONLY_SIZE.test(details.toLowerCase())
  )
}

/** Whether a text says HTTP 413: that of a gateway, also where it comes as the status of a server that is away. */
export function speaksOfHttp413(details: string): boolean {
  return HTTP_413.test(details.toLowerCase())
}

/** Whether what is too large is the server's answer: then the request was acted on. */
export function speaksOfReply(details: string): boolean {
  return OF_REPLY.test(details) || (SENT.test(details) && !SENT_BY_US.test(details))
}

function isAboutSize(words: readonly string[]): boolean {
  if (words.some((word) => OF_RATE.includes(word))) return false
  const hasThing = words.some((word) => THINGS.includes(word))
  return words.some((word, at) => {
    const [next = '', ...later] = words.slice(at + 1, at + 6)
    if (COMPARED.includes(word) && next === 'than') return hasLimit(later) || (hasThing && later.some(isAmount))
    // `too long` of time takes other words between.
    if (word === 'too' && TOO.includes(next))
      return next === 'long' ? isThing(words, at) : hasThing && !words.includes('number')
    if (word === 'too' && next === 'many') return later[0] === 'bytes' || later[0] === 'recipients'
    if (word.startsWith('exceed')) return isMeasured(words, at)
    return word.startsWith('max') && [next, ...later].some((one) => MEASURES.includes(one)) && words.some(isAmount)
  })
}

/** Whether a thing stands right before a place, with `is` or not. */
function isThing(words: readonly string[], at: number): boolean {
  const before = words[at - 1] === 'is' ? words[at - 2] : words[at - 1]
  return THINGS.includes(before ?? '')
}

/** `max`, `the limit`, `configured max`, `the allowed`. */
function hasLimit(words: readonly string[]): boolean {
  return words
    .slice(0, 2)
    .some((word) => ['max', 'limit', 'allowed', 'configured'].some((name) => word.startsWith(name)))
}

/** Whether what exceeds, or is exceeded, is a size. */
function isMeasured(words: readonly string[], at: number): boolean {
  const before = words.slice(Math.max(0, at - 4), at)
  const after = words.slice(at + 1, at + 6)
  if ([...before, ...after].some((word) => MEASURES.includes(word)) || after.some((word) => DATA.test(word)))
    return true
  return words.some((word) => MATTER.includes(word)) && [...before, ...after].some((word) => word.startsWith('limit'))
}

function isAmount(word: string): boolean {
  return /^\d{3,15}$/.test(word) || DATA.test(word)
}
