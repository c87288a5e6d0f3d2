import { isTraced, type TraceContext, traced } from '../../channels.js'
import type { MessagingConfig } from '../../config/messaging-options.js'
import { PpoppoError } from '../../errors.js'
import { type Channel, openChannel } from '../channel/channel.js'
import { createTokenSource, notConfigured, type TokenSource } from '../channel/token-source.js'
import { type Descriptor, loadDescriptor, type Method } from '../descriptor/descriptor.js'
import type { MessagingRuntime } from '../lib/runtime.js'
import { CallScope, type OpenScopes } from '../lib/scope.js'
import type { CallOptions } from '../types/methods.js'
import type { MethodName } from '../wire/rpcs.js'
import { parseCallOptions } from './call-options.js'
import { type Asked, CallFailed, TooLargeError, toMessagingError, toUnmade } from './failure.js'
import { pageOf } from './page.js'
import { RetryBudget, withRetries } from './retry.js'
import { classify, isRateLimited, setUpFaultOf } from './retry-policy.js'
import { type CallFailure, CODE } from './status.js'
import { callUnary } from './unary.js'

/** Statuses that any gRPC server sends, even one that is not PCS. */
const SAID_BY_ANY: readonly number[] = [CODE.unimplemented, CODE.unauthenticated, CODE.unavailable]

/** What every method of the client is made of. */
export interface Caller {
  readonly config: MessagingConfig
  readonly runtime: MessagingRuntime
  /** Loaded at its first use. @throws `config_invalid` */
  descriptor(): Descriptor
  /**
   * Calls a method with token, deadline and retries.
   * @param encode encodes the request; called once, after what needs no descriptor has been checked
   */
  unary(
    name: MethodName,
    encode: (method: Method, descriptor: Descriptor) => Buffer,
    asked: Asked,
    options: CallOptions | undefined,
  ): Promise<Readonly<Record<string, unknown>>>
  /** A time to live for something longer than a call. @throws `request_invalid` */
  openScope(options: CallOptions | undefined, defaultDeadlineMs: number): CallScope
  /** @throws `closed` */
  assertOpen(): void
  /** @throws `closed`, `messaging_not_configured` */
  assertUsable(): void
  /** The error for a failed call. @param attempts how many were started */
  toError(failure: CallFailure, asked: Asked, attempts: number): PpoppoError
  /** Notes that PCS has answered, so a later UNIMPLEMENTED is not blamed on a wrong URL path. */
  noteAnswer(): void
  hasAnswered(): boolean
  /** Notes what a failure says about the token it was called with, and about the place. */
  noteFailure(failure: CallFailure, token: string): void
  readonly tokens: TokenSource
  channel(): Channel
  close(): void
}

/** What {@link createCaller} is made of. */
export interface CallerParts {
  readonly config: MessagingConfig
  readonly runtime: MessagingRuntime
  /** Hears of every call that has ended. */
  readonly onCall?: ((call: EndedCall) => void) | undefined
}

/** How a call went. */
export interface EndedCall {
  /** Retries included. */
  readonly tookMs: number
  /** Absent: it succeeded. */
  readonly error?: unknown
}

/** The part below the methods: token, channel, deadline, retries. */
export function createCaller({ config, runtime, onCall }: CallerParts): Caller {
  const tokens = createTokenSource({ config, runtime })
  const budget = new RetryBudget()
  const open: OpenScopes = new Set()
  let descriptor: Descriptor | undefined
  let channel: Channel | undefined
  let hasAnswered = false
  let isClosed = false

  const tokenFor = async (scope: CallScope): Promise<string> => {
    try {
      return await tokens.tokenFor(scope)
    } catch (error) {
      scope.throwIfEnded()
      throw toUnmade(error)
    }
  }

  const caller: Caller = {
    config,
    runtime,
    tokens,
    descriptor: () => {
      descriptor ??= loadDescriptor(config.descriptor, new URL(config.apiUrl).pathname.replace(/\/$/, ''))
      return descriptor
    },
    channel: () => {
      channel ??= openChannel(config, runtime)
      return channel
    },
    openScope: (options, defaultDeadlineMs) =>
      new CallScope(runtime, parseCallOptions(options), defaultDeadlineMs, open),
    assertOpen: () => {
      if (isClosed) throw closed()
    },
    assertUsable: () => {
      caller.assertOpen()
      if (!config.credentials) throw notConfigured(config.missing)
    },
    unary: async (name, encode, asked, options) => {
      const startedAt = runtime.monotonic()
      const call = (seen?: TraceContext) => callMethod(name, encode, asked, options, seen)
      try {
        const context = { operation: name }
        const answer = await (isTraced('rpc') ? traced({ name: 'rpc', context }, call) : call())
        onCall?.({ tookMs: runtime.monotonic() - startedAt })
        return answer
      } catch (error) {
        onCall?.({ tookMs: runtime.monotonic() - startedAt, error })
        throw error
      }
    },
    toError: (failure, asked, attempts) =>
      toMessagingError(failure, asked, { apiUrl: config.apiUrl, hasAnswered }, attempts),
    noteAnswer: () => {
      hasAnswered = true
    },
    hasAnswered: () => hasAnswered,
    noteFailure: (failure, token) => {
      const isPage = pageOf(failure) !== undefined
      // Where a path is wrong another gRPC server may say that it has no such method, or want another token.
      if (!isPage && failure.isGrpc === true && !SAID_BY_ANY.includes(failure.code)) hasAnswered = true
      if (failure.code === CODE.unauthenticated) isPage ? tokens.doubt(token) : tokens.drop(token)
    },
    close: () => {
      isClosed = true
      tokens.close()
      for (const scope of open) scope.end(closed())
      channel?.release()
    },
  }
  async function callMethod(
    name: MethodName,
    encode: (method: Method, descriptor: Descriptor) => Buffer,
    asked: Asked,
    options: CallOptions | undefined,
    seen: TraceContext | undefined,
  ): Promise<Readonly<Record<string, unknown>>> {
    caller.assertUsable()
    const scope = caller.openScope(options, config.deadlineMs)
    const note = (isInDoubt: boolean): void => {
      if (asked.context) asked.context.isInDoubt = isInDoubt
    }
    note(false)
    try {
      const prepared = beforeSending(() => {
        const known = caller.descriptor()
        const method = known.method(name)
        return { method, bytes: encode(method, known) }
      })
      if (seen) seen.operation = prepared.method.path.split('/').slice(-2).join('/')
      const { context } = asked
      if (context && prepared.bytes.length > context.maxBytes) {
        throw new TooLargeError(asked.operation, prepared.bytes.length, '')
      }
      const attempt = async (): Promise<object> => {
        const token = tokens.current() ?? (await tokenFor(scope))
        if (asked.kind === 'write') await beforeSending(() => caller.channel()).prove(token, scope)
        scope.throwIfEnded()
        asked.context?.noNewAttempts.throwIfAborted()
        const client = beforeSending(() => caller.channel().client())
        try {
          note(true)
          const answer = await callUnary(client, prepared, token, scope)
          caller.channel().heard()
          return answer
        } catch (error) {
          if (!(error instanceof CallFailed)) throw error
          if (error.failure.isFromPeer) caller.channel().heard()
          note(classify(error.failure, asked.kind).outcome === 'unknown')
          caller.noteFailure(error.failure, token)
          throw error
        }
      }
      const rules = {
        kind: asked.kind,
        maxAttempts: config.maxAttempts,
        budget,
        random: runtime.random,
        failsFast: asked.failsFast,
        isForGood: (failure: CallFailure) =>
          setUpFaultOf(failure, hasAnswered) !== undefined || (options?.rateLimit === 'fail' && isRateLimited(failure)),
        noNewAttempts: context?.noNewAttempts,
      }
      const retried = await withRetries(attempt, scope, rules)
      if (retried.value === undefined) throw caller.toError(retried.failure, asked, retried.attempts)
      caller.noteAnswer()
      return retried.value as Readonly<Record<string, unknown>>
    } finally {
      scope.dispose()
    }
  }

  return caller
}

/** An error thrown in here proves that nothing was sent. */
function beforeSending<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw toUnmade(error)
  }
}

/** The error of every call after `close()`, and of the calls that it ends. */
export function closed(): PpoppoError {
  return new PpoppoError(
    'closed',
    'The Messaging client was closed: create a new one with createMessaging(). A send in flight may have been accepted.',
  )
}
