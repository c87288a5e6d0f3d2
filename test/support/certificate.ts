import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate that signed itself, for `localhost` and 127.0.0.1, good until 2120. Of no use to anybody else. */
export const TEST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfDCCASOgAwIBAgIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRleHByZXNz
LXBwb3BwbyB0ZXN0czAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFow
HzEdMBsGA1UEAwwUZXhwcmVzcy1wcG9wcG8gdGVzdHMwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAAST1OFOuFuIGXXnuARj30M4ut69I4cN3esB2Dk2D8tmW6TzMSyh
Ikt8GP2PmEYFj5P3QiDOdVZWWxcYmz9KCMLyo04wTDAPBgNVHRMBAf8EBTADAQH/
MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUxZG6mICaCyRh
7RYwBnfEWkTop5owCgYIKoZIzj0EAwIDRwAwRAIgTZCe5sjtqTz4Z3bus7v5nyUz
IKIQE0LvtiypF4EinMYCIC69/Ls0M9lrTaRh6867vZThKIz3vbhebIf4HlCo0bnA
-----END CERTIFICATE-----
`

/** Its key. */
export const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbBh34DRt8qlf1l/i
8sWng+ABLelovHjKgvCKbg+NZi+hRANCAAST1OFOuFuIGXXnuARj30M4ut69I4cN
3esB2Dk2D8tmW6TzMSyhIkt8GP2PmEYFj5P3QiDOdVZWWxcYmz9KCMLy
-----END PRIVATE KEY-----
`

/** Both as files, for servers that read such. */
export function certificateFiles(): { readonly certificate: string; readonly key: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'ppoppo-certificate-'))
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  writeFileSync(certificate, TEST_CERTIFICATE)
  writeFileSync(key, TEST_KEY)
  return { certificate, key, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
