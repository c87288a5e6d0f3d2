/**
 * Whether a host name, as `URL.hostname` gives it, is this very machine: `localhost`, `*.localhost` (RFC 6761),
 * `127.0.0.0/8` or `[::1]`. `0.0.0.0` is not: it is every interface.
 */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(hostname) ||
    hostname === '[::1]'
  )
}
