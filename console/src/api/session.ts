/**
 * The API token of this tab, when the server asks for one. Session storage: it is gone with the
 * tab and never sent by the browser on its own.
 */
const storageKey = 'isotherm-token'

/** Token of this tab, empty in open mode. */
function sessionToken(): string {
  return sessionStorage.getItem(storageKey) ?? ''
}

/** Keeps the token for this tab; an empty one forgets it. */
export function keepToken(token: string): void {
  if (token === '') sessionStorage.removeItem(storageKey)
  else sessionStorage.setItem(storageKey, token)
}

/** Headers that every request to the API carries. */
export function sessionHeaders(): Readonly<Record<string, string>> {
  const token = sessionToken()
  return token === '' ? {} : { authorization: `Bearer ${token}` }
}
