import { createHash } from 'node:crypto'
import { IsothermError } from '../contracts/index.ts'
import type { Identity } from './identity.ts'
import { HttpProblem } from './problem.ts'

/** A bearer token as the configuration holds it: its hash, never the token. */
export type ApiToken = {
  /** SHA-256 of the token in lower-case hex. */
  readonly sha256: string
  readonly identity: Identity
}

/**
 * How callers prove who they are. `open` gives everybody one identity and is meant for a demo on
 * the own machine: the server refuses it on any address that others can reach.
 */
export type Authentication =
  | { readonly kind: 'open'; readonly identity?: Identity }
  | { readonly kind: 'tokens'; readonly tokens: readonly ApiToken[] }

/** Who uses the open mode when the configuration names nobody. */
export const localOperator: Identity = {
  id: 'local-operator',
  name: 'Local operator',
  role: 'operator_lead',
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
}

/** @throws IsothermError INPUT_INVALID if open mode would be reachable from outside */
export function checkOpenMode(authentication: Authentication, host: string): void {
  if (authentication.kind !== 'open' || isLoopback(host)) return
  throw new IsothermError(
    'INPUT_INVALID',
    `http: authentication is open, but the address is ${host}, which other machines reach; ` +
      'expected a loopback address; listen on 127.0.0.1, or give people tokens first with ' +
      'isotherm tokens add NAME',
  )
}

/** SHA-256 of a token in lower-case hex, as the configuration holds it. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}

/**
 * Turns an `Authorization` header into an identity. Looking a hash up leaks nothing useful about
 * the token by its timing: a near miss of a hash is no step towards its preimage.
 * @throws HttpProblem 401
 */
export function createAuthenticator(
  authentication: Authentication,
): (authorization: string | undefined) => Identity {
  if (authentication.kind === 'open') {
    const identity = authentication.identity ?? localOperator
    return () => identity
  }
  const identities = new Map(
    authentication.tokens.map(({ sha256, identity }) => [sha256.toLowerCase(), identity]),
  )
  return (authorization) => {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
    const identity = token === undefined ? undefined : identities.get(tokenHash(token))
    if (identity !== undefined) return identity
    throw new HttpProblem(
      401,
      token === undefined
        ? 'This server needs an API token and none was sent.'
        : 'The API token is not known to this server.',
      {
        where: 'header Authorization',
        expected: 'Bearer followed by a configured token',
        found: token === undefined ? 'no bearer token' : 'an unknown token',
        what_to_do: 'send a token that the administrator configured',
      },
    )
  }
}
