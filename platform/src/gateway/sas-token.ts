import { createHmac, timingSafeEqual } from 'node:crypto'

/** Outcome of a token check; the reason is for the log, never for the device. */
export type SasVerdict =
  | { readonly kind: 'valid'; readonly expiresAtMs: number; readonly key: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** What a token is checked against. */
export type SasCheck = {
  readonly deviceId: string
  /** Base64 keys; any of them may have signed, so that keys can be rotated. */
  readonly keys: readonly string[]
  /** Accepted audience hosts in lower case: own names and those of an imported hub. */
  readonly hostNames: ReadonlySet<string>
  /** The keys are a policy's: a token for the host alone covers every device. */
  readonly isPolicy?: boolean
  readonly nowMs: number
  /** Tolerated clock difference after the expiry, ING-5. */
  readonly leewayMs: number
}

const prefix = 'SharedAccessSignature '

function refused(reason: string): Extract<SasVerdict, { readonly kind: 'refused' }> {
  return { kind: 'refused', reason }
}

/** Fields in any order, split at the first `=` only: base64 padding is not always encoded. */
function fieldsOf(token: string): ReadonlyMap<string, string> {
  return new Map(
    token
      .slice(prefix.length)
      .split('&')
      .map((part) => {
        const at = part.indexOf('=')
        return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)]
      }),
  )
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    // A stray percent sign: the token is not one.
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** `{host}/devices` covers every device, `{host}/devices/{id}` one; compared by segments. */
function coversDevice(resource: string, check: SasCheck): boolean {
  const segments = resource.split('/')
  const [host = '', collection, device] = segments
  if (!check.hostNames.has(host.toLowerCase())) return false
  if (segments.length === 1) return check.isPolicy === true
  if (collection !== 'devices') return false
  return segments.length === 2 || (segments.length === 3 && device === check.deviceId)
}

/** True if a password or header value claims to be a token. */
export function isSasToken(text: string): boolean {
  return text.startsWith(prefix)
}

/** Name of the shared access policy that a token claims to be signed by, if it names one. */
export function policyOfToken(token: string): string | undefined {
  const name = fieldsOf(token).get('skn')
  return name === undefined || name === '' ? undefined : decoded(name)
}

/** A signature that is right, for whatever it may be meant. */
export type SignedAudience = {
  readonly kind: 'signed'
  readonly audience: string
  readonly key: string
  readonly expiresAtMs: number
}

/** Checks who signed a token and when it ends; the signature covers `sr` exactly as it was sent. */
export function verifySignature(
  token: string,
  check: Pick<SasCheck, 'keys' | 'nowMs' | 'leewayMs'>,
): SignedAudience | Extract<SasVerdict, { readonly kind: 'refused' }> {
  if (!isSasToken(token)) return refused('not a shared access signature')
  const fields = fieldsOf(token)
  const resource = fields.get('sr') ?? ''
  const expiry = fields.get('se') ?? ''
  const signature = decoded(fields.get('sig') ?? '')
  const audience = decoded(resource)
  if (signature === undefined || audience === undefined) return refused('token is not well encoded')
  if (!/^\d{1,12}$/.test(expiry)) return refused('token has no expiry in seconds')
  const found = Buffer.from(signature, 'base64')
  const signed = `${resource}\n${expiry}`
  // All keys are tried, so that the time tells nothing of which one matched.
  const [key] = check.keys.filter((one) => {
    const expected = createHmac('sha256', Buffer.from(one, 'base64')).update(signed).digest()
    return found.length === expected.length && timingSafeEqual(found, expected)
  })
  if (key === undefined) return refused('signature does not match any key')
  const expiresAtMs = Number(expiry) * 1_000
  const lateMs = check.nowMs - expiresAtMs
  if (lateMs >= check.leewayMs) {
    return refused(`token expired ${Math.round(lateMs / 1_000)} s ago by the gateway's clock`)
  }
  return { kind: 'signed', audience, key, expiresAtMs }
}

/** Checks a shared access signature for a device, ING-5. */
export function verifySasToken(token: string, check: SasCheck): SasVerdict {
  const signed = verifySignature(token, check)
  if (signed.kind === 'refused') return signed
  const { audience, key, expiresAtMs } = signed
  if (!coversDevice(audience, check)) return refused('token is for another host or device')
  return { kind: 'valid', expiresAtMs, key }
}

/** Makes a token as the device SDKs do; for simulators, tools and tests. */
export function signSasToken(options: {
  readonly hostName: string
  readonly deviceId: string
  readonly key: string
  readonly expiresAtMs: number
  /** Signs for a shared access policy. */
  readonly policy?: string
}): string {
  const resource = encodeURIComponent(`${options.hostName}/devices/${options.deviceId}`)
  const expiry = Math.floor(options.expiresAtMs / 1_000)
  const signature = createHmac('sha256', Buffer.from(options.key, 'base64'))
    .update(`${resource}\n${expiry}`)
    .digest('base64')
  const name = options.policy === undefined ? '' : `&skn=${encodeURIComponent(options.policy)}`
  return `${prefix}sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}${name}`
}
