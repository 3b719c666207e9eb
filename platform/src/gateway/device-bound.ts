import type { LockedMessage } from '../contracts/index.ts'

/** Bit pattern of packet identifiers: 1 to 65,535 [MQTT-2.3.1-1]. */
const packetIdCount = 65_535

/**
 * Packet identifier of a message: the same at every delivery, so that a repeat after a restart
 * carries the identifier it had [MQTT-4.4.0-1].
 */
export function packetIdOf(sequenceNumber: number): number {
  return (sequenceNumber % packetIdCount) + 1
}

/** System properties as they are called in a property bag. */
const systemKeys = [
  ['$.mid', 'messageId'],
  ['$.cid', 'correlationId'],
  ['$.uid', 'userId'],
  ['$.ct', 'contentType'],
  ['$.ce', 'contentEncoding'],
] as const

/**
 * Topic of a message to a device. Keys and values are percent-encoded: the SDKs take everything
 * after the last slash as the bag.
 */
export function deviceBoundTopic(deviceId: string, message: LockedMessage): string {
  const to = `/devices/${deviceId}/messages/devicebound`
  const system = systemKeys.flatMap(([key, field]): readonly (readonly [string, string])[] => {
    const value = message[field]
    return value === undefined ? [] : [[key, value]]
  })
  const expiry = new Date(message.expiresAtMs).toISOString()
  const pairs = [...system, ['$.to', to] as const, ['$.exp', expiry] as const]
  if (message.ack !== 'none') pairs.push(['iothub-ack', message.ack])
  pairs.push(...Object.entries(message.properties))
  const bag = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
  return `devices/${deviceId}/messages/devicebound/${bag}`
}
