import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
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

/** Session Expiry Interval of a session that is kept until the client ends it [MQTT5-3.1.2.11.2]. */
const neverExpires = 0xff_ff_ff_ff

/** CONNACK of an accepted client. */
export function acceptedAnswer(
  packet: IConnectPacket,
  { version, isKept }: { readonly version: MqttVersion; readonly isKept: boolean },
  options: {
    readonly receiveMaximum: number
    readonly maximumPacketSize: number
    readonly deviceId: string
    /** Subscriptions of an earlier connection go on. */
    readonly sessionPresent: boolean
  },
): Buffer {
  const { sessionPresent } = options
  if (version === 4) return generate({ cmd: 'connack', returnCode: 0, sessionPresent })
  const keepAliveS = packet.keepalive ?? 0
  const isTaken = keepAliveS > 0 && keepAliveS <= maxKeepAliveS
  return generate(
    {
      cmd: 'connack',
      reasonCode: 0,
      sessionPresent,
      properties: {
        sessionExpiryInterval: isKept ? neverExpires : 0,
        receiveMaximum: options.receiveMaximum,
        maximumQoS: 1,
        maximumPacketSize: options.maximumPacketSize,
        topicAliasMaximum: 0,
        sharedSubscriptionAvailable: false,
        ...(isTaken ? {} : { serverKeepAlive: maxKeepAliveS }),
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

/** PUBACK. */
export function publishAnswer(packetId: number): Buffer {
  return Buffer.from([0x40, 2, packetId >> 8, packetId & 0xff])
}

export function disconnectAnswer(reasonCode: number): Buffer {
  return generate({ cmd: 'disconnect', reasonCode }, { protocolVersion: 5 })
}
