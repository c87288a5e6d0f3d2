import { isTraced, traced } from '../../channels.js'
import type { SendContext } from '../call/call-options.js'
import type { Caller } from '../call/caller.js'
import { toUnmade } from '../call/failure.js'
import type { CallOptions, SendReceipt, SendRequest, TemplateSendRequest } from '../types/methods.js'
import { toNumber, toStatus, toText, type Wire } from '../wire/convert.js'
import { checkAllVars, toPlainRequest } from '../wire/defined-template.js'
import type { KnownTemplates } from '../wire/placeholders.js'
import { parseSendRequest } from '../wire/validate.js'

/** What {@link createSend} is made of. */
export interface SendParts {
  readonly caller: Caller
  /** The templates that this process has created, to check `vars` against. */
  readonly templates: KnownTemplates
}

/** One send, with its retries. */
export type Send = (
  request: SendRequest | TemplateSendRequest,
  options?: CallOptions,
  context?: SendContext,
) => Promise<SendReceipt>

/**
 * Sends a template to 1 to 1,000 recipients. A send is retried only if it provably never reached the server; otherwise it
 * fails with `send_outcome_unknown`.
 */
export function createSend({ caller, templates }: SendParts): Send {
  /** Reads the app's objects, whose getters may throw: nothing was sent then, and a run must not count it as unknown. */
  function check(request: unknown, isParsed: boolean): SendRequest {
    try {
      const checked = isParsed ? (request as SendRequest) : parseSendRequest(request)
      return { ...checked, recipients: templates.check(checked.templateId, checked.recipients) }
    } catch (error) {
      throw toUnmade(error)
    }
  }

  const send: Send = async (request, options, context) => {
    caller.assertUsable()
    // What a run sends it has read, and checked, itself.
    const isParsed = context !== undefined
    const plain = isParsed ? { request } : toPlainRequest(request)
    const { recipients, ...checked } = check(plain.checkVars ? await checkAllVars(plain) : plain.request, isParsed)
    const { templateId } = checked
    const receipt = await caller.unary(
      'createSendRequest',
      (_, descriptor) => descriptor.encodeSend({ ...checked, recipients }),
      {
        operation: 'send',
        kind: 'write',
        send: { templateId, recipients: recipients.length },
        ...(context && { context, failsFast: true }),
      },
      options,
    )
    return fromSendReceipt(receipt)
  }

  return (...args) => {
    if (!isTraced('send')) return send(...args)
    return traced({ name: 'send', outcomeOf: () => 'accepted' }, () => send(...args))
  }
}

function fromSendReceipt(wire: Wire): SendReceipt {
  return {
    id: toText(wire['id']),
    status: toStatus(wire['status']),
    totalRecipients: toNumber(wire['total_recipients']),
  }
}
