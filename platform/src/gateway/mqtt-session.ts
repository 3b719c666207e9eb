import type { Duplex } from 'node:stream'
import type { IConnectPacket } from 'mqtt-packet'
import type { DeviceIdentity } from '../contracts/index.ts'
import type { Admission } from './admission.ts'
import { AnswerQueue, noPacketId } from './answer-queue.ts'
import { peerCertificate } from './client-certificate.ts'
import { FrameBuffer } from './frame-buffer.ts'
import type { GatewayCore } from './gateway-core.ts'
import { newTopics, resumeTopics } from './hub-topics.ts'
import type { MessageOwner } from './intake.ts'
import {
  disconnectAnswer,
  disconnectReason,
  parsePacket,
  publishAnswer,
  publishFaultReasons,
  refusedAnswer,
} from './mqtt-answers.ts'
import {
  judgeConnect,
  maxPacketBytes,
  noTerms,
  parseConnect,
  termsOf,
  welcome,
} from './mqtt-connect.ts'
import { ownBagOf } from './own-topics.ts'
import { type MessageProperties, readPropertyBag } from './property-bag.ts'
import {
  emptyPublishFrame,
  propertyBagOf,
  readPublish,
  readVariableInteger,
} from './publish-frame.ts'
import type { Registrant } from './registrant.ts'
import { RegistrationTopics } from './registration-topics.ts'
import { handToTopics, type SessionLink, type SessionTopics } from './session-topics.ts'
import { endStream } from './stream-end.ts'
import { recordOf } from './telemetry.ts'

/** A CONNECT holds names, a token and perhaps a will; it comes from somebody unknown. */
const maxConnectBytes = 65_536

/** Why a session does not read at the moment; reading needs none of them. */
const pause = { admission: 1, answers: 2, intake: 4, writes: 8, closing: 16 } as const

const pingAnswer = Buffer.from([0xd0, 0])
/** Longer than any topic, so that none begins with it. */
const noTopic = Buffer.alloc(65_536)
/** Shared by all sessions: a packet is handled before the next one is read. */
const publish = emptyPublishFrame()

type State = 'connecting' | 'open' | 'closed'

/**
 * One MQTT connection. PUBLISH, by far the most frequent packet, is read where it lies; everything
 * else goes through mqtt-packet. The session reads no further while it owes too many answers, the
 * gateway holds too many bytes, or the peer does not read.
 */
export class MqttSession implements MessageOwner {
  readonly #core: GatewayCore
  readonly #socket: Duplex
  readonly #frames = new FrameBuffer()
  readonly #answers = new AnswerQueue()
  #topics: SessionTopics | undefined
  #terms = noTerms
  #state: State = 'connecting'
  #pauses = 0
  #identity: DeviceIdentity | undefined
  #deviceId = ''
  #topicPrefix = Buffer.alloc(0)
  #expiresAtMs = Number.POSITIVE_INFINITY
  #silenceMs: number
  #lastReadMs: number
  #blockedSinceMs = 0
  #answerTimer: NodeJS.Timeout | undefined
  readonly #received: { value: number }

  constructor(core: GatewayCore, socket: Duplex) {
    this.#core = core
    this.#socket = socket
    this.#silenceMs = core.limits.connectTimeoutMs
    this.#lastReadMs = core.clock()
    this.#received = core.counters.cell('gateway_messages_received_total')
    core.sessions.opened(this)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('drain', () => this.#unpause(pause.writes))
    // A reset by the peer is an end like any other; messages already read are stored.
    socket.on('error', () => this.#ended('socket error'))
    socket.on('close', () => this.#ended('peer closed'))
  }

  get identity(): DeviceIdentity | undefined {
    return this.#identity
  }

  identityChanged(identity: DeviceIdentity): void {
    this.#identity = identity
  }

  /** Ends the session; an MQTT 5 client is told why. */
  close(reasonCode: number, why: string): void {
    if (this.#state === 'closed') return
    const isTold = this.#state === 'open' && this.#terms.version === 5
    this.#ended(why)
    endStream(this.#socket, isTold ? disconnectAnswer(reasonCode) : undefined)
  }

  /** Reads nothing more and answers without delay, so that nothing is open at the end. */
  stopReading(): void {
    this.#pause(pause.closing)
    this.answer()
  }

  /** The log is gone: without an answer the device keeps the message and sends it again. */
  abandon(): void {
    this.close(disconnectReason.serverBusy, 'log unavailable')
  }

  checkTime(nowMs: number): void {
    if (this.#blockedSinceMs > 0) {
      if (nowMs - this.#blockedSinceMs < this.#core.limits.slowReaderTimeoutMs) return
      this.#ended('slow reader')
      this.#socket.destroy()
    } else if (nowMs >= this.#expiresAtMs) {
      this.close(disconnectReason.notAuthorized, 'token expired')
    } else if (this.#pauses === 0 && nowMs - this.#lastReadMs > this.#silenceMs) {
      const isOpen = this.#state === 'open'
      this.close(disconnectReason.keepAliveTimeout, isOpen ? 'keep-alive' : 'no CONNECT')
    }
  }

  stored(): void {
    this.#answers.stored()
  }

  answer(): void {
    if (this.#state !== 'open') return
    const nowMs = this.#core.clock()
    const isClosing = (this.#pauses & pause.closing) !== 0
    const answers = this.#answers.takeAnswers(isClosing ? Number.POSITIVE_INFINITY : nowMs)
    if (answers !== undefined && answers.length > 0) this.#write(answers)
    const nextMs = this.#answers.nextDueMs()
    if (nextMs !== undefined && this.#answerTimer === undefined) {
      this.#answerTimer = setTimeout(
        () => {
          this.#answerTimer = undefined
          this.answer()
        },
        Math.max(1, nextMs - nowMs),
      )
    }
    if (this.#answers.length < this.#core.throttle.window(nowMs)) this.#unpause(pause.answers)
  }

  resume(): void {
    this.#unpause(pause.intake)
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.#lastReadMs = this.#core.clock()
    if (this.#frames.add(chunk) && this.#pauses === 0) this.#handleFrames()
  }

  #pause(reason: number): void {
    if (this.#pauses === 0) this.#socket.pause()
    this.#pauses |= reason
  }

  #unpause(reason: number): void {
    if ((this.#pauses & reason) === 0) return
    this.#pauses &= ~reason
    if (reason === pause.writes) this.#blockedSinceMs = 0
    if (this.#pauses !== 0 || this.#state === 'closed') return
    // Silence while we did not read is not the client's.
    this.#lastReadMs = this.#core.clock()
    if (this.#frames.sizeBytes > 0) this.#handleFrames()
    if (this.#pauses === 0) this.#socket.resume()
  }

  #write(bytes: Buffer): void {
    if (this.#socket.write(bytes)) return
    this.#blockedSinceMs = this.#core.clock()
    this.#pause(pause.writes)
  }

  #handleFrames(): void {
    const bytes = this.#frames.take()
    let at = 0
    let needed = 1
    while (this.#pauses === 0 && bytes.length - at >= 2) {
      const packed = readVariableInteger(bytes, at + 1, bytes.length)
      if (packed === -1) break
      if (packed < 0) {
        this.close(disconnectReason.malformed, 'malformed')
        return
      }
      const bodyStart = at + 1 + (packed & 7)
      const bodyBytes = Math.floor(packed / 8)
      const limit = this.#state === 'open' ? maxPacketBytes(this.#core.limits) : maxConnectBytes
      const isTooLarge = bodyBytes > limit
      if (!this.#mayGoOn(bytes[at]!, isTooLarge)) return
      const end = bodyStart + Math.min(bodyBytes, limit)
      if (end > bytes.length) {
        needed = end - at
        break
      }
      if (isTooLarge) {
        // Its beginning becomes a dead letter, the connection ends, ING-6.
        this.#handlePublish(bytes, bytes[at]! & 0x0f, bodyStart, end)
        this.close(disconnectReason.packetTooLarge, 'packet too large')
        return
      }
      this.#handleFrame(bytes, at, bodyStart, end)
      if (this.#state === 'closed') return
      at = end
    }
    this.#frames.put(at === 0 ? bytes : bytes.subarray(at), needed)
  }

  /** Ends the connection as soon as it is clear that its next packet cannot be taken. */
  #mayGoOn(first: number, isTooLarge: boolean): boolean {
    if (this.#state === 'connecting' && first !== 0x10) {
      this.close(disconnectReason.protocolError, 'no valid CONNECT')
    } else if (isTooLarge && (this.#state === 'connecting' || first >> 4 !== 3)) {
      this.close(disconnectReason.packetTooLarge, 'packet too large')
    }
    return this.#state !== 'closed'
  }

  #handleFrame(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    const first = bytes[start]!
    if (this.#state === 'connecting') this.#handleConnect(bytes.subarray(start, end))
    else if (first >> 4 === 3) this.#handlePublish(bytes, first & 0x0f, bodyStart, end)
    else if (first === 0xc0 && end === bodyStart) this.#write(pingAnswer)
    else this.#handleOther(bytes.subarray(start, end))
  }

  #handlePublish(bytes: Buffer, flags: number, bodyStart: number, end: number): void {
    const fault = readPublish(bytes, flags, bodyStart, end, this.#terms.version === 5, publish)
    if (fault !== undefined) {
      this.close(publishFaultReasons[fault], fault)
      return
    }
    const bag =
      propertyBagOf(bytes, publish, this.#topicPrefix) ?? ownBagOf(bytes, publish, this.#identity)
    if (bag === undefined) {
      const topic = bytes.toString('utf8', publish.topicStart, publish.topicEnd)
      this.#handleForeignTopic(topic, bytes.subarray(publish.payloadStart, end))
      return
    }
    const nowMs = this.#core.clock()
    const payload = bytes.subarray(publish.payloadStart, end)
    const isTooLarge = payload.length > this.#core.limits.maxPayloadBytes
    const delayMs = this.#core.throttle.message(this.#deviceId, nowMs)
    if (delayMs > this.#core.limits.maxDelayMs) {
      this.close(disconnectReason.quotaExceeded, 'over its rate')
      return
    }
    this.#answers.push(
      isTooLarge || publish.qos === 0 ? noPacketId : publish.packetId,
      delayMs === 0 ? 0 : nowMs + delayMs,
    )
    this.#submit(payload, readPropertyBag(bag, (flags & 1) !== 0), nowMs)
    if (isTooLarge) this.close(disconnectReason.packetTooLarge, 'packet too large')
  }

  #submit(payload: Buffer, bag: MessageProperties, ingestedAtMs: number): void {
    const core = this.#core
    const device = this.#identity?.device
    if (device === undefined) return
    this.#received.value++
    const protocol = this.#terms.version === 5 ? 'mqtt5' : 'mqtt3'
    const { messageId, properties } = bag
    const deviceId = this.#deviceId
    const source = { deviceId, device, protocol, messageId, properties, ingestedAtMs } as const
    core.intake.submit(recordOf(core, payload, source), this)
    if (this.#answers.length >= core.throttle.window(ingestedAtMs)) this.#pause(pause.answers)
    if (core.intake.isFull) {
      this.#pause(pause.intake)
      core.intake.waitForRoom(this)
    }
  }

  #handleForeignTopic(topic: string, payload: Buffer): void {
    const { qos, packetId } = publish
    const done = () => {
      if (qos === 1 && this.#state === 'open') this.#write(publishAnswer(packetId))
    }
    if (this.#openTopics()?.publish(topic, payload, done) === true) return
    this.close(disconnectReason.topicNameInvalid, 'foreign topic')
  }

  #handleOther(frame: Buffer): void {
    const packet = parsePacket(frame, this.#terms.version)
    if (packet === undefined) this.close(disconnectReason.malformed, 'malformed')
    else if (packet.cmd === 'disconnect') {
      this.#ended('client left')
      this.#socket.end()
    } else if (!handToTopics(packet, this.#openTopics(), (error) => this.#failed(error))) {
      // A second CONNECT [MQTT-3.1.0-2], or an answer to something we never sent.
      this.close(disconnectReason.protocolError, 'unexpected packet')
    }
  }

  #failed(error: unknown): void {
    this.#core.logger.warn({ error, deviceId: this.#deviceId }, 'a request of a device failed')
    this.close(disconnectReason.serverBusy, 'hub failed')
  }

  /** Made when they are first needed: most devices only send. */
  #openTopics(): SessionTopics | undefined {
    const { hub } = this.#core
    if (hub !== undefined) this.#topics ??= newTopics(hub, this.#deviceId, this.#link())
    return this.#topics
  }

  #link(): SessionLink {
    return {
      ...this.#terms,
      nowMs: this.#core.clock,
      send: (packet) => this.#write(packet),
      unreadBytes: () => this.#socket.writableLength,
      close: (reasonCode, why) => this.close(reasonCode, why),
      failed: (error) => this.#failed(error),
    }
  }

  #handleConnect(frame: Buffer): void {
    const packet = parseConnect(frame)
    if (packet === undefined) {
      this.#core.counters.add('gateway_connects_total', 'result', 'malformed')
      this.close(disconnectReason.malformed, 'no valid CONNECT')
      return
    }
    this.#terms = termsOf(packet)
    this.#pause(pause.admission)
    judgeConnect(this.#core, packet, peerCertificate(this.#socket))
      .then((admission) => {
        if (this.#state !== 'connecting') return
        if (admission.kind === 'admitted') return this.#open(packet, admission)
        if (admission.kind === 'registrant') return this.#openRegistration(packet, admission)
        this.#socket.write(refusedAnswer(admission.refusal, this.#terms.version))
        this.close(disconnectReason.notAuthorized, 'refused')
      })
      .catch((error: unknown) => this.#failed(error))
  }

  #open(packet: IConnectPacket, admission: Extract<Admission, { kind: 'admitted' }>): void {
    const { limits, sessions, clock, hub } = this.#core
    const { identity, expiresAtMs = Number.POSITIVE_INFINITY } = admission
    const deviceId = identity.device.device_id
    const nowMs = clock()
    this.#state = 'open'
    this.#identity = identity
    this.#deviceId = deviceId
    this.#topicPrefix = Buffer.from(`devices/${deviceId}/messages/events`)
    // A token that is already in its leeway keeps the rest of it.
    const leewayMs = nowMs < expiresAtMs ? 0 : limits.tokenLeewayMs
    this.#expiresAtMs = expiresAtMs + leewayMs
    sessions.claim(deviceId, this, admission.proof)
    const resumed = hub === undefined ? undefined : resumeTopics(hub, deviceId, this.#link())
    this.#topics = resumed
    this.#accept(packet, resumed !== undefined)
    resumed?.resume()
    this.#unpause(pause.admission)
  }

  /** A registrant has no telemetry and no place among the sessions of devices. */
  #openRegistration(packet: IConnectPacket, registrant: Registrant): void {
    this.#state = 'open'
    this.#topicPrefix = noTopic
    this.#expiresAtMs = registrant.expiresAtMs
    this.#topics = new RegistrationTopics(this.#core, registrant, this.#link())
    this.#accept(packet, false)
    this.#unpause(pause.admission)
  }

  #accept(packet: IConnectPacket, sessionPresent: boolean): void {
    this.#core.counters.add('gateway_connects_total', 'result', 'accepted')
    this.#silenceMs = this.#terms.silenceMs
    const deviceId = this.#deviceId === '' ? packet.clientId : this.#deviceId
    this.#write(welcome(this.#core.limits, packet, this.#terms, { deviceId, sessionPresent }))
  }

  /** Releases what the session holds; messages already submitted are stored all the same. */
  #ended(why: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const { sessions, intake, counters } = this.#core
    sessions.closed(this, this.#deviceId === '' ? undefined : this.#deviceId)
    intake.forget(this)
    this.#topics?.ended()
    clearTimeout(this.#answerTimer)
    this.#frames.clear()
    counters.add('gateway_disconnects_total', 'reason', why)
  }
}
