/*
 * Two instances with different clients in one process must not overwrite each other's session cookie. The first takes
 * the plain name; another client gets one with a suffix of its own. Instances of one client share a name.
 */

const owners = new Map<string, { readonly clientId: string; instances: number }>()

/** @returns the name for `clientId`, and what gives it back. */
export function claimCookieName(
  plain: string,
  clientId: string,
  suffix: string,
): { readonly name: string; release(): void } {
  const owner = owners.get(plain)
  if (owner && owner.clientId !== clientId) return { name: `${plain}-${suffix}`, release: () => {} }
  const claim = owner ?? { clientId, instances: 0 }
  claim.instances += 1
  owners.set(plain, claim)
  let isReleased = false
  return {
    name: plain,
    release() {
      if (isReleased) return
      isReleased = true
      claim.instances -= 1
      if (claim.instances === 0) owners.delete(plain)
    },
  }
}
