import { isDeepStrictEqual } from 'node:util'
import type { SendRequest } from '../types/methods.js'
import { toSendRequest } from '../wire/convert.js'
import type { StructShape } from '../wire/struct.js'
import { SEND_FIELDS, type SendNumbers, writeSend } from '../wire/write-send.js'
import type { DescriptorModel } from './model.js'
import { numbersOf } from './numbers.js'

/** Every kind of value that a send can hold. */
const SAMPLE: SendRequest = {
  templateId: 'tpl_1',
  recipients: [
    {
      ppnum: '12345678901',
      vars: { text: 'é', number: -0.5, yes: true, no: false, none: null, list: [1, {}], inner: {} },
    },
    { ppnum: '00000000000' },
  ],
  poll: { expiresInHours: 2_147_483_647, allowMultiple: false },
}
const { poll: _, ...SAMPLE_WITHOUT_POLL } = SAMPLE

/** What {@link createSendEncoder} is made of. */
export interface SendEncoderParts {
  readonly method: {
    readonly serialize: (request: object) => Buffer
    readonly deserializeRequest: (bytes: Buffer) => object
  }
  readonly model: DescriptorModel
  /** Full name of the request's message. */
  readonly type: string
  readonly struct: StructShape
}

/**
 * Encodes sends without proto-loader, which takes most of the time of a large one. That is done only if the descriptor reads
 * a sample the same in either encoding; a send that it cannot hold is left to proto-loader and its checks.
 */
export function createSendEncoder({ method, model, type, struct }: SendEncoderParts): (request: SendRequest) => Buffer {
  const serialize = (request: SendRequest): Buffer => method.serialize(toSendRequest(request, struct))
  const numbers = numbersOf(model, type, SEND_FIELDS) as SendNumbers
  const isSame = (sample: SendRequest): boolean => {
    try {
      const read = method.deserializeRequest
      return isDeepStrictEqual(read(writeSend(sample, numbers)), read(serialize(sample)))
    } catch {
      return false
    }
  }
  const takesPoll = isSame(SAMPLE)
  const takesOthers = takesPoll || isSame(SAMPLE_WITHOUT_POLL)
  return (request) =>
    (request.poll === undefined ? takesOthers : takesPoll) ? writeSend(request, numbers) : serialize(request)
}
