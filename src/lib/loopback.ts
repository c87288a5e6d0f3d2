/**
 * Whether a host name, in the form of `URL.hostname`, is this machine: `localhost`, `*.localhost` (RFC 6761),
 * `127.0.0.0/8` or `[::1]`. `0.0.0.0` is not, since it means every interface.
 */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^127(\.\d{1,3}){3}$/.test(hostname) ||
    hostname === '[::1]'
  )
}
