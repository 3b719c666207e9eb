/** A PUBLISH packet as positions in the bytes it came in; reused for every packet. */
export type PublishFrame = {
  qos: number
  topicStart: number
  topicEnd: number
  packetId: number
  payloadStart: number
}

/** Why a PUBLISH cannot be taken. */
export type PublishFault = 'malformed' | 'QoS 2' | 'topic alias'

export function emptyPublishFrame(): PublishFrame {
  return { qos: 0, topicStart: 0, topicEnd: 0, packetId: 0, payloadStart: 0 }
}

/** Value and length of a variable byte integer, packed as value * 8 + length; -1 if it is cut. */
export function readVariableInteger(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  let weight = 1
  for (let length = 1; length <= 4; length++) {
    if (at >= end) return -1
    const byte = bytes[at++]!
    value += (byte & 0x7f) * weight
    if (byte < 0x80) return value * 8 + length
    weight *= 128
  }
  return -2
}

const topicAlias = 0x23

/** Length of a property's value, or -1 for a property that PUBLISH does not have. */
function propertyBytes(bytes: Uint8Array, identifier: number, at: number): number {
  const stringBytes = (from: number): number => 2 + ((bytes[from]! << 8) | bytes[from + 1]!)
  switch (identifier) {
    case 0x01: // payload format indicator
      return 1
    case 0x02: // message expiry interval
      return 4
    case topicAlias:
      return 2
    case 0x03: // content type
    case 0x08: // response topic
    case 0x09: // correlation data
      return stringBytes(at)
    case 0x26: {
      const name = stringBytes(at)
      return name + stringBytes(at + name)
    }
    default:
      return -1
  }
}

/** Position after the properties of an MQTT 5 PUBLISH, or what is wrong with them. */
function skipProperties(bytes: Uint8Array, at: number, end: number): number | PublishFault {
  const packed = readVariableInteger(bytes, at, end)
  if (packed < 0) return 'malformed'
  let position = at + (packed & 7)
  const propertiesEnd = position + Math.floor(packed / 8)
  if (propertiesEnd > end) return 'malformed'
  while (position < propertiesEnd) {
    const identifier = bytes[position]!
    // We announce a topic alias maximum of 0, so a client must not use one [MQTT-3.3.2-9].
    if (identifier === topicAlias) return 'topic alias'
    const length = propertyBytes(bytes, identifier, position + 1)
    if (!(length >= 0)) return 'malformed'
    position += 1 + length
  }
  return position === propertiesEnd ? position : 'malformed'
}

/**
 * Reads the PUBLISH whose variable header begins at `at` and whose last byte is before `end`.
 * Returns what is wrong, or undefined when `out` is filled.
 */
export function readPublish(
  bytes: Uint8Array,
  flags: number,
  at: number,
  end: number,
  isVersion5: boolean,
  out: PublishFrame,
): PublishFault | undefined {
  const qos = (flags >> 1) & 3
  if (qos === 3) return 'malformed'
  if (qos === 2) return 'QoS 2'
  if (at + 2 > end) return 'malformed'
  const topicStart = at + 2
  const topicEnd = topicStart + ((bytes[at]! << 8) | bytes[at + 1]!)
  let position = topicEnd
  let packetId = 0
  if (qos === 1) {
    if (position + 2 > end) return 'malformed'
    packetId = (bytes[position]! << 8) | bytes[position + 1]!
    // [MQTT-2.3.1-1] a packet identifier is not zero.
    if (packetId === 0) return 'malformed'
    position += 2
  }
  if (position > end) return 'malformed'
  if (isVersion5) {
    const after = skipProperties(bytes, position, end)
    if (typeof after === 'string') return after
    position = after
  }
  out.qos = qos
  out.topicStart = topicStart
  out.topicEnd = topicEnd
  out.packetId = packetId
  out.payloadStart = position
  return undefined
}

/**
 * The property bag that follows a device's own telemetry topic `prefix`, or undefined if the packet
 * was published to another topic.
 */
export function propertyBagOf(
  bytes: Buffer,
  { topicStart, topicEnd }: PublishFrame,
  prefix: Uint8Array,
): string | undefined {
  const after = topicStart + prefix.length
  if (topicEnd < after) return undefined
  for (let i = 0; i < prefix.length; i++) {
    if (prefix[i] !== bytes[topicStart + i]) return undefined
  }
  if (topicEnd === after) return ''
  return bytes[after] === 0x2f ? bytes.toString('utf8', after + 1, topicEnd) : undefined
}
