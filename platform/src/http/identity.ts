import type { Actor } from '../objects/index.ts'

/** Who makes a request: the actor of actions, with a name for people. */
export type Identity = Actor & { readonly name: string }

/** True if a person covers a site, OBJ-32. */
export function covers(identity: Identity, siteId: string): boolean {
  return identity.siteIds === undefined || identity.siteIds.includes(siteId)
}
