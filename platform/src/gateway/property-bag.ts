import { usableMessageId } from './device-names.ts'

/** What came with a message besides its payload. */
export type MessageProperties = {
  /** Names the message, so that a repeat is known. */
  readonly messageId: string | undefined
  /**
   * Everything else as one JSON object of texts: application properties by their names, system
   * properties by those of IoT Hub (`$.ct`, `$.cid` ...). Undefined if there is nothing.
   */
  readonly properties: string | undefined
}

/** Properties of one message as JSON; longer ones make it a dead letter. */
export const maxPropertiesLength = 131_072

const none: MessageProperties = { messageId: undefined, properties: undefined }
const messageIdKey = '$.mid'

/** Percent-decoding that leaves what is not encoded properly as it is; `+` stays a plus. */
function decodedLoosely(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return text
    throw error
  }
}

/** Properties as JSON; a name that comes twice has its last value, as in the SDKs. */
export function propertiesJson(
  pairs: Iterable<readonly [name: string, value: string | null]>,
): string | undefined {
  const members = new Map<string, string>()
  for (const [name, value] of pairs) {
    const text = value === null ? 'null' : JSON.stringify(value.toWellFormed())
    members.set(JSON.stringify(name.toWellFormed()), text)
  }
  if (members.size === 0) return undefined
  return `{${[...members].map(([name, value]) => `${name}:${value}`).join(',')}}`
}

/**
 * Reads the property bag at the end of a topic. Tolerates a leading `?`, a trailing `/`, both
 * spellings of `$`, and a key without a value, which is null.
 * @param isRetained a message with RETAIN set is not retained, but says so, as with IoT Hub
 */
export function readPropertyBag(bag: string, isRetained = false): MessageProperties {
  if (bag.length === 0 && !isRetained) return none
  const from = bag.charCodeAt(0) === 0x3f ? 1 : 0
  const to = bag.endsWith('/') ? bag.length - 1 : bag.length
  let messageId: string | undefined
  const pairs: (readonly [string, string | null])[] = []
  for (const pair of bag.slice(from, to).split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decodedLoosely(at < 0 ? pair : pair.slice(0, at))
    const value = at < 0 ? null : decodedLoosely(pair.slice(at + 1))
    if (name === messageIdKey) messageId ??= usableMessageId(value ?? undefined)
    else pairs.push([name, value])
  }
  if (isRetained) pairs.push(['mqtt-retain', 'true'])
  return { messageId, properties: propertiesJson(pairs) }
}

/** System properties by the lower-case names HTTPS gives them. */
const systemNames = new Map([
  ['iothub-messageid', messageIdKey],
  ['iothub-correlationid', '$.cid'],
  ['iothub-userid', '$.uid'],
  ['iothub-to', '$.to'],
  ['iothub-expiry', '$.exp'],
  ['iothub-contenttype', '$.ct'],
  ['iothub-contentencoding', '$.ce'],
  ['dt-subject', '$.sub'],
])
const applicationPrefix = 'iothub-app-'

/** Reads the headers of a message over HTTPS, or the properties of one in a batch. */
export function readHubHeaders(headers: Readonly<Record<string, unknown>>): MessageProperties {
  let messageId: string | undefined
  const pairs: (readonly [string, string])[] = []
  for (const [header, value] of Object.entries(headers)) {
    if (typeof value !== 'string') continue
    const lower = header.toLowerCase()
    const system = systemNames.get(lower)
    if (system === messageIdKey) messageId = usableMessageId(value)
    else if (system !== undefined) pairs.push([system, value])
    // Header names have no case; those of a batch keep theirs.
    else if (lower.startsWith(applicationPrefix))
      pairs.push([header.slice(applicationPrefix.length), value])
  }
  return { messageId, properties: propertiesJson(pairs) }
}
