/*
 * Faults of TLS and HTTP/2 that waiting cannot fix, recognized by messages of OpenSSL, Node and grpc-js, and by Node's codes.
 */

/**
 * `certificate`: it is not trusted, or not for this name; `no_http2`: the server speaks HTTP/1.1 only; `no_tls`: the port
 * is in the clear; `refused`: no common version or cipher, or the server wants a certificate of ours.
 */
export type SetUpFault = 'certificate' | 'no_http2' | 'no_tls' | 'refused'

/** In small letters; the first that is found counts. The alerts are the server's words, and about our side. */
const SAID_BY_FAULT: readonly (readonly [SetUpFault, readonly string[]])[] = [
  ['no_http2', ['alert no application protocol', 'alert_no_application_protocol', 'protocol error (']],
  ['no_tls', ['wrong version number', 'wrong_version_number', 'packet length too long', 'packet_length_too_long']],
  [
    'refused',
    [
      'alert certificate required',
      'alert_certificate_required',
      'alert bad certificate',
      'alert_bad_certificate',
      'alert unknown ca',
      'alert_unknown_ca',
      'alert certificate unknown',
      'alert_certificate_unknown',
      'alert handshake failure',
      'alert_handshake_failure',
      'alert protocol version',
      'alert_protocol_version',
      'unsupported protocol',
      'unsupported_protocol',
      'alert insufficient security',
      'alert_insufficient_security',
    ],
  ],
  [
    'certificate',
    [
      'certificate',
      '_cert',
      'cert_',
      'altname',
      'leaf_signature',
      'invalid_ca',
      'invalid ca',
      'invalid_purpose',
      'hostname_mismatch',
      'key too small',
      'too weak',
    ],
  ],
]
/** More is not read. */
const MAX_READ = 1_000

/**
 * The fault of TLS or HTTP/2 behind a failure to connect; `undefined` if it is something else, which may pass.
 * @param text without names of hosts, which could hold any of these words
 */
export function setUpFaultIn(text: string): SetUpFault | undefined {
  const read = text.slice(0, MAX_READ).toLowerCase()
  return SAID_BY_FAULT.find(([, words]) => words.some((word) => read.includes(word)))?.[0]
}

/** What is wrong, and what to do. @param where the URL @param variable that holds it */
export function explainSetUp(fault: SetUpFault, where: string, variable: string, says: string): string {
  switch (fault) {
    case 'certificate':
      return `the certificate of ${where} is not accepted${says}. Check ${variable}, the certificate and this machine's clock; for a private certificate authority, set NODE_EXTRA_CA_CERTS.`
    case 'no_http2':
      return `the server at ${where} does not speak HTTP/2${says}, which gRPC needs. Check ${variable}, and that every proxy in front of the server supports HTTP/2 (ALPN "h2").`
    case 'no_tls':
      return `the server at ${where} does not speak TLS${says}. Check scheme and port in ${variable}.`
    case 'refused':
      return `the server at ${where} refuses the TLS handshake${says}. Check ${variable}, which TLS versions it supports, and whether it requires client certificates.`
  }
}
