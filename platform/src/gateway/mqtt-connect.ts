import type { X509Certificate } from 'node:crypto'
import type { IConnectPacket } from 'mqtt-packet'
import { type Admission, admit } from './admission.ts'
import type { GatewayCore } from './gateway-core.ts'
import type { GatewayLimits } from './limits.ts'
import { acceptedAnswer, type MqttVersion, parsePacket, silenceLimitMs } from './mqtt-answers.ts'
import { admitRegistrant, type Registrant, registrantName } from './registrant.ts'

/** Messages a client takes at once if it names no bound [MQTT5-3.1.2.11.3]. */
const maxReceive = 65_535

/** Fixed and variable header around a payload: 5 bytes, a topic, an id and properties. */
const maxHeaderBytes = 70_000

/** Largest packet a client may send once it is connected. */
export function maxPacketBytes({ maxPayloadBytes }: GatewayLimits): number {
  return maxPayloadBytes + maxHeaderBytes
}

/** Reads a CONNECT of MQTT 3.1.1 or 5; undefined if it is none. */
export function parseConnect(frame: Buffer): IConnectPacket | undefined {
  // The version is in the CONNECT itself; the parser's own setting matters only afterwards.
  const packet = parsePacket(frame, 4)
  return packet?.cmd === 'connect' && (packet.protocolVersion ?? 4) >= 4 ? packet : undefined
}

/** Who a CONNECT is from: a device, or somebody who wants to become one. */
export type Judgement = Admission | Registrant

async function decide(
  core: GatewayCore,
  packet: IConnectPacket,
  certificate: X509Certificate | undefined,
): Promise<Judgement> {
  const { desk, throttle, limits, clock } = core
  const delayMs = throttle.connection(clock())
  if (delayMs > limits.maxDelayMs) {
    return { kind: 'refused', refusal: 'rate', reason: 'too many connections at once' }
  }
  if (packet.properties?.authenticationMethod !== undefined) {
    return { kind: 'refused', refusal: 'method', reason: 'no enhanced authentication' }
  }
  if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
  const { clientId, username, password } = packet
  const presented = { clientId, username, password: password?.toString('utf8'), certificate }
  const name = registrantName(username ?? '')
  return name === undefined
    ? admit(desk, presented, clock())
    : admitRegistrant(core, name, presented)
}

/** Decides on a CONNECT, after the delay that a storm of them asks for, ING-12, and counts it. */
export async function judgeConnect(
  core: GatewayCore,
  packet: IConnectPacket,
  certificate: X509Certificate | undefined,
): Promise<Judgement> {
  const admission = await decide(core, packet, certificate)
  if (admission.kind === 'refused') {
    const { refusal, reason } = admission
    core.counters.add('gateway_connects_total', 'result', refusal)
    const clientId = packet.clientId.slice(0, 128)
    core.logger.info({ clientId, refusal, reason }, 'connection refused')
  }
  return admission
}

/** What a connection keeps of its CONNECT. */
export type ConnectTerms = {
  readonly version: MqttVersion
  /** Silence after which the client counts as gone. */
  readonly silenceMs: number
  /** Unacknowledged messages the client takes. */
  readonly receiveMaximum: number
  /** The client begins anew. */
  readonly isClean: boolean
  /** Its session outlives the connection. */
  readonly isKept: boolean
}

export function termsOf(packet: IConnectPacket): ConnectTerms {
  const isVersion5 = packet.protocolVersion === 5
  const isClean = packet.clean === true
  return {
    version: isVersion5 ? 5 : 4,
    silenceMs: silenceLimitMs(packet),
    receiveMaximum: packet.properties?.receiveMaximum ?? maxReceive,
    isClean,
    isKept: isVersion5 ? (packet.properties?.sessionExpiryInterval ?? 0) > 0 : !isClean,
  }
}

/** Before CONNECT nothing is known of the client. */
export const noTerms: ConnectTerms = {
  version: 4,
  silenceMs: 0,
  receiveMaximum: 1,
  isClean: true,
  isKept: false,
}

/** CONNACK that lets a client in and names our bounds. */
export function welcome(
  limits: GatewayLimits,
  packet: IConnectPacket,
  terms: ConnectTerms,
  session: { readonly deviceId: string; readonly sessionPresent: boolean },
): Buffer {
  return acceptedAnswer(packet, terms, {
    receiveMaximum: limits.maxUnacknowledged,
    maximumPacketSize: maxPacketBytes(limits),
    ...session,
  })
}
