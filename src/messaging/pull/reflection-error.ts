import { PpoppoError } from '../../errors.js'
import { said } from '../call/failure.js'
import { setUpFaultOf } from '../call/retry-policy.js'
import { type CallFailure, CODE } from '../call/status.js'
import { explainSetUp } from '../channel/set-up-fault.js'

/** The error for a failed reflection request, which names the fix. */
export function toReflectionError(
  failure: CallFailure,
  apiUrl: string,
  hadToken: boolean,
  tokenAdvice = 'Set PAS_PCS_CLIENT_ID, PAS_PCS_CLIENT_SECRET and PAS_TOKEN_URL',
): PpoppoError {
  const says = said(failure.details)
  const options = { grpcCode: failure.code }
  const setUpFault = setUpFaultOf(failure, false)
  if (setUpFault) {
    return new PpoppoError('messaging_misconfigured', explainSetUp(setUpFault, apiUrl, 'the URL', says), options)
  }
  switch (failure.code) {
    case CODE.unimplemented:
      return new PpoppoError(
        'messaging_misconfigured',
        `no gRPC server reflection at ${apiUrl}${says}. Check the path of the URL (production's is "/ext"), or ask Ppoppo for external.proto and name that file as "descriptor".`,
        options,
      )
    case CODE.unauthenticated:
    case CODE.permissionDenied:
      return new PpoppoError('credentials_rejected', refused(apiUrl, says, hadToken, tokenAdvice), options)
    case CODE.deadlineExceeded:
      return new PpoppoError(
        'deadline_exceeded',
        `no answer from ${apiUrl} in time. Check host, port and path.`,
        options,
      )
    case CODE.unavailable:
      return new PpoppoError(
        'messaging_unavailable',
        `${apiUrl} does not answer${says}. Check scheme, host and port.`,
        options,
      )
    default:
      return new PpoppoError(
        'messaging_response_invalid',
        `${apiUrl} does not answer as gRPC server reflection does${says}. Is it the URL of the Messaging API?`,
        options,
      )
  }
}

function refused(apiUrl: string, says: string, hadToken: boolean, tokenAdvice: string): string {
  if (hadToken) {
    return `${apiUrl} refuses reflection to this client${says}. Check that PAS_TOKEN_URL and PAS_PCS_CLIENT_ID belong to its environment.`
  }
  return `${apiUrl} wants an access token${says}. ${tokenAdvice}.`
}
