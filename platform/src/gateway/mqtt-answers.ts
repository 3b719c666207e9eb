import {
  generate,
  type IConnectPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
  parser,
} from 'mqtt-packet'
import type { AdmissionRefusal } from './admission.ts'
import type { PublishFault } from './publish-frame.ts'

/** 4 is MQTT 3.1.1. */
export type MqttVersion = 4 | 5

/** Reasons a server gives when it ends an MQTT 5 connection. */
export const disconnectReason = {
  normal: 0x00,
  malformed: 0x81,
  protocolError: 0x82,
  notAuthorized: 0x87,
  serverBusy: 0x89,
  serverShuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicNameInvalid: 0x90,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  qosNotSupported: 0x9b,
} as const

/** How a PUBLISH that cannot be taken ends the connection. */
export const publishFaultReasons: Readonly<Record<PublishFault, number>> = {
  malformed: disconnectReason.malformed,
  'QoS 2': disconnectReason.qosNotSupported,
  'topic alias': disconnectReason.topicAliasInvalid,
}

const connackCodes: Readonly<Record<AdmissionRefusal, readonly [v4: number, v5: number]>> = {
  identifier: [2, 0x85],
  credentials: [4, 0x86],
  unauthorized: [5, 0x87],
  unavailable: [3, 0x88],
  rate: [3, 0x9f],
  method: [5, 0x8c],
}

/** Longest keep-alive of a client and longest silence tolerated, seconds, ING-6. */
const maxKeepAliveS = 1_177
const maxSilenceS = 1_767

/** Parses one whole control packet; undefined if it is malformed. */
export function parsePacket(frame: Buffer, version: MqttVersion): Packet | undefined {
  let found: Packet | undefined
  const reader = parser({ protocolVersion: version })
  reader.on('packet', (packet: Packet) => {
    found = packet
  })
  let isMalformed = false
  reader.on('error', () => {
    isMalformed = true
  })
  try {
    reader.parse(frame)
  } catch (error) {
    // The parser reads past the end of some cut packets: for us they are malformed.
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    isMalformed = true
  }
  return isMalformed ? undefined : found
}

/** Milliseconds of silence after which a client counts as gone: 1.5 times its keep-alive. */
export function silenceLimitMs(packet: IConnectPacket): number {
  const keepAliveS = packet.keepalive ?? 0
  const limitS = keepAliveS === 0 ? maxSilenceS : Math.min(keepAliveS * 1.5, maxSilenceS)
  return limitS * 1_000
}

/** CONNACK of an accepted client; there is never a stored session. */
export function acceptedAnswer(
  packet: IConnectPacket,
  version: MqttVersion,
  options: {
    readonly receiveMaximum: number
    readonly maximumPacketSize: number
    readonly deviceId: string
  },
): Buffer {
  if (version === 4) return generate({ cmd: 'connack', returnCode: 0, sessionPresent: false })
  const keepAliveS = packet.keepalive ?? 0
  const isKept = keepAliveS > 0 && keepAliveS <= maxKeepAliveS
  return generate(
    {
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent: false,
      properties: {
        receiveMaximum: options.receiveMaximum,
        maximumQoS: 1,
        maximumPacketSize: options.maximumPacketSize,
        topicAliasMaximum: 0,
        sharedSubscriptionAvailable: false,
        ...(isKept ? {} : { serverKeepAlive: maxKeepAliveS }),
        ...(packet.clientId === '' ? { assignedClientIdentifier: options.deviceId } : {}),
      },
    },
    { protocolVersion: 5 },
  )
}

export function refusedAnswer(refusal: AdmissionRefusal, version: MqttVersion): Buffer {
  const [v4, v5] = connackCodes[refusal]
  return version === 4
    ? generate({ cmd: 'connack', returnCode: v4, sessionPresent: false })
    : generate({ cmd: 'connack', reasonCode: v5, sessionPresent: false }, { protocolVersion: 5 })
}

export function disconnectAnswer(reasonCode: number): Buffer {
  return generate({ cmd: 'disconnect', reasonCode }, { protocolVersion: 5 })
}

const maxSubscriptions = 5

/** The filters device SDKs subscribe to; nothing is published to them yet. */
function isKnownFilter(filter: string, deviceId: string): boolean {
  return (
    filter === `devices/${deviceId}/messages/devicebound/#` ||
    filter === '$iothub/methods/POST/#' ||
    filter === '$iothub/twin/res/#' ||
    filter === '$iothub/twin/PATCH/properties/desired/#'
  )
}

/** SUBACK: known filters get at most QoS 1, every other one and the sixth are refused. */
export function subscriptionAnswer(
  packet: ISubscribePacket,
  version: MqttVersion,
  deviceId: string,
  subscribed: Set<string>,
): Buffer {
  const granted = packet.subscriptions.map(({ topic, qos }) => {
    const isNew = !subscribed.has(topic)
    if (!isKnownFilter(topic, deviceId)) return version === 5 ? 0x87 : 0x80
    if (isNew && subscribed.size >= maxSubscriptions) return version === 5 ? 0x97 : 0x80
    subscribed.add(topic)
    return Math.min(qos, 1)
  })
  return generate(
    { cmd: 'suback', messageId: packet.messageId ?? 0, granted },
    { protocolVersion: version },
  )
}

export function unsubscriptionAnswer(
  packet: IUnsubscribePacket,
  version: MqttVersion,
  subscribed: Set<string>,
): Buffer {
  const messageId = packet.messageId ?? 0
  const granted = packet.unsubscriptions.map((topic) => (subscribed.delete(topic) ? 0 : 0x11))
  return generate({ cmd: 'unsuback', messageId, granted }, { protocolVersion: version })
}

const twinTopic = '$iothub/twin/'

/**
 * Answer to a twin request: there is no twin to give, and the SDKs wait for a word. Undefined if
 * the topic is no twin request.
 */
export function twinAnswer(topic: string, version: MqttVersion): Buffer | undefined {
  if (!topic.startsWith(twinTopic)) return undefined
  const requestId = /[?&]\$rid=([^&]*)/.exec(topic)?.[1]
  if (requestId === undefined) return undefined
  return generate(
    {
      cmd: 'publish',
      topic: `$iothub/twin/res/501/?$rid=${requestId}`,
      payload: '{"errorCode":501001,"message":"this gateway keeps no twins"}',
      qos: 0,
      dup: false,
      retain: false,
    },
    { protocolVersion: version },
  )
}
