import type { ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import type { ConnectTerms } from './mqtt-connect.ts'

/** What a session lends to the topics that are not telemetry. */
export type SessionLink = ConnectTerms & {
  readonly nowMs: () => number
  readonly send: (packet: Buffer) => void
  /** Bytes written that the peer has not read yet. */
  readonly unreadBytes: () => number
  readonly close: (reasonCode: number, why: string) => void
  /** Something of ours broke: it is logged and the client may come back. */
  readonly failed: (error: unknown) => void
}

/** Topics of a session beside telemetry: the hub's own, or those of the provisioning service. */
export type SessionTopics = {
  /** Answers SUBSCRIBE once what it grants will survive a restart. */
  readonly subscribe: (packet: ISubscribePacket) => Promise<void>
  readonly unsubscribe: (packet: IUnsubscribePacket) => Promise<void>
  /** Takes a message; false if there is no such topic. `done` when it may be acknowledged. */
  readonly publish: (topic: string, payload: Buffer, done: () => void) => boolean
  /** PUBACK of the client; false if it acknowledges nothing. */
  readonly acknowledged: (packetId: number) => boolean
  readonly ended: () => void
}

/** Hands a control packet to the topics; false if it is not one for them. */
export function handToTopics(
  packet: Packet,
  topics: SessionTopics | undefined,
  failed: (error: unknown) => void,
): boolean {
  if (topics === undefined) return false
  switch (packet.cmd) {
    case 'subscribe':
      // Each asks for one thing at least [MQTT-3.8.3-3], [MQTT-3.10.3-2].
      if (packet.subscriptions.length === 0) return false
      topics.subscribe(packet).catch(failed)
      return true
    case 'unsubscribe':
      if (packet.unsubscriptions.length === 0) return false
      topics.unsubscribe(packet).catch(failed)
      return true
    case 'puback':
      return topics.acknowledged(packet.messageId ?? 0)
    default:
      return false
  }
}
