import { generate, type ISubscribePacket, type IUnsubscribePacket } from 'mqtt-packet'
import { deviceBoundTopic, packetIdOf } from './device-bound.ts'
import type { HubDesk } from './hub-desk.ts'
import {
  grantedQos,
  type HubFilter,
  hubFilterOf,
  hubFilters,
  type Subscriptions,
  withSubscription,
} from './hub-filters.ts'
import { disconnectReason } from './mqtt-answers.ts'
import type { SessionLink, SessionTopics } from './session-topics.ts'

/** Messages to a device that wait for its PUBACK. */
const maxInFlight = 16
/** Twin requests of a device at work; the next one is told to come back. */
const maxTwinRequests = 16
/** What may wait in memory for a device that reads slowly. */
const maxUnreadBytes = 1 << 20

const requestIdPattern = /[?&]\$rid=([^&]*)/
const methodAnswerPattern = /^\$iothub\/methods\/res\/(-?\d{1,9})\/\?\$rid=([^&]+)/

type TwinRequest = 'get' | 'report'

function twinRequestOf(topic: string): TwinRequest | undefined {
  if (topic.startsWith('$iothub/twin/GET/')) return 'get'
  return topic.startsWith('$iothub/twin/PATCH/properties/reported/') ? 'report' : undefined
}

/** The hub's own topics of one connected device: messages, twin and methods. */
export class HubTopics implements SessionTopics {
  readonly #desk: HubDesk
  readonly #link: SessionLink
  readonly #deviceId: string
  /** Lock token of each message in flight by its packet identifier. */
  readonly #inFlight = new Map<number, string>()
  #subscriptions: Subscriptions
  #twinRequests = 0
  #isDelivering = false
  #isAsked = false
  #isEnded = false

  constructor(desk: HubDesk, deviceId: string, link: SessionLink, kept: Subscriptions) {
    this.#desk = desk
    this.#deviceId = deviceId
    this.#link = link
    this.#subscriptions = kept
    desk.opened(deviceId, this)
  }

  /** Goes on with a session that was kept; called when CONNACK is on its way. */
  resume(): void {
    this.deliver()
    if (this.takesMethods) this.#desk.takesMethods(this.#deviceId)
  }

  get takesMethods(): boolean {
    return grantedQos(this.#subscriptions, 'methods') !== undefined
  }

  async subscribe(packet: ISubscribePacket): Promise<void> {
    const isVersion5 = this.#link.version === 5
    const found: HubFilter[] = []
    const granted = packet.subscriptions.map(({ topic, qos }) => {
      const filter = hubFilterOf(topic, this.#deviceId)
      if (filter === undefined) return isVersion5 ? 0x87 : 0x80
      // QoS 2 is never granted: a device acknowledges a message once.
      const given = qos === 0 ? 0 : 1
      found.push(filter)
      this.#subscriptions = withSubscription(this.#subscriptions, filter, given)
      return given
    })
    if (found.length > 0) await this.#keep()
    this.#send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted })
    if (found.includes('messages')) this.deliver()
    if (found.includes('methods')) this.#desk.takesMethods(this.#deviceId)
  }

  async unsubscribe(packet: IUnsubscribePacket): Promise<void> {
    const granted = packet.unsubscriptions.map((topic) => {
      const filter = hubFilterOf(topic, this.#deviceId)
      if (filter === undefined || grantedQos(this.#subscriptions, filter) === undefined) return 0x11
      this.#subscriptions = withSubscription(this.#subscriptions, filter, undefined)
      return 0
    })
    await this.#keep()
    this.#send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted })
  }

  publish(topic: string, payload: Buffer, done: () => void): boolean {
    const request = twinRequestOf(topic)
    if (request !== undefined) {
      const requestId = requestIdPattern.exec(topic)?.[1]
      if (requestId === undefined) return false
      const text = payload.toString('utf8')
      this.#answerTwin(request, requestId, text).then(done, (error: unknown) => {
        this.#link.failed(error)
      })
      return true
    }
    const [, status, requestId] = methodAnswerPattern.exec(topic) ?? []
    if (status === undefined || requestId === undefined) return false
    this.#desk.answered(this.#deviceId, requestId, Number(status), payload.toString('utf8'))
    done()
    return true
  }

  acknowledged(packetId: number): boolean {
    const lockToken = this.#inFlight.get(packetId)
    if (lockToken === undefined) return false
    this.#inFlight.delete(packetId)
    this.#desk.stores.messages.settle(this.#deviceId, lockToken, 'complete').then(
      () => this.deliver(),
      (error: unknown) => this.#link.failed(error),
    )
    return true
  }

  ended(): void {
    this.#isEnded = true
    this.#desk.closed(this.#deviceId, this)
    this.#desk.stores.messages.release(this.#deviceId, [...this.#inFlight.values()])
    this.#inFlight.clear()
  }

  /** Sends what waits for the device, as far as its window goes. */
  deliver(): void {
    this.#isAsked = true
    if (this.#isDelivering || !this.#desk.stores.messages.hasPending(this.#deviceId)) return
    this.#isDelivering = true
    this.#isAsked = false
    this.#deliverAll()
      .catch((error: unknown) => this.#link.failed(error))
      .finally(() => {
        this.#isDelivering = false
        if (this.#isAsked && !this.#isEnded) this.deliver()
      })
  }

  /** Tells the device of new desired properties; one that does not read them must come back. */
  pushDesired(patch: string, version: number): void {
    if (grantedQos(this.#subscriptions, 'desired') === undefined) return
    if (this.#link.unreadBytes() > maxUnreadBytes) {
      // After reconnecting it reads the whole twin, so nothing is missed.
      this.#link.close(disconnectReason.quotaExceeded, 'slow reader')
      return
    }
    const topic = `$iothub/twin/PATCH/properties/desired/?$version=${version}`
    this.#publish(topic, patch)
  }

  /** False if the device takes no calls now. */
  pushMethod(name: string, requestId: string, payload: string): boolean {
    if (!this.takesMethods || this.#link.unreadBytes() > maxUnreadBytes) return false
    this.#publish(`$iothub/methods/POST/${name}/?$rid=${requestId}`, payload)
    return true
  }

  async #deliverAll(): Promise<void> {
    const { messages } = this.#desk.stores
    for (;;) {
      const qos = grantedQos(this.#subscriptions, 'messages')
      const count = Math.min(maxInFlight, this.#link.receiveMaximum) - this.#inFlight.size
      const isBusy = count <= 0 || this.#link.unreadBytes() > maxUnreadBytes
      if (qos === undefined || isBusy || this.#isEnded) return
      const lockMs = Number.POSITIVE_INFINITY
      const taken = await messages.take(this.#deviceId, { count, lockMs })
      if (taken.length === 0) return
      if (this.#isEnded) {
        messages.release(
          this.#deviceId,
          taken.map(({ lockToken }) => lockToken),
        )
        return
      }
      for (const message of taken) {
        const messageId = packetIdOf(message.sequenceNumber)
        const dup = qos === 1 && message.deliveryCount > 0
        const topic = deviceBoundTopic(this.#deviceId, message)
        const payload = Buffer.from(message.payload)
        if (qos === 1) this.#inFlight.set(messageId, message.lockToken)
        const packet = { cmd: 'publish', topic, payload, qos, dup, retain: false } as const
        this.#send(qos === 1 ? { ...packet, messageId } : packet)
        // QoS 0 asks for no acknowledgement: sent is done.
        if (qos === 0) await messages.settle(this.#deviceId, message.lockToken, 'complete')
      }
    }
  }

  async #answerTwin(request: TwinRequest, requestId: string, text: string): Promise<void> {
    if (this.#twinRequests >= maxTwinRequests) {
      this.#refuseTwin(requestId, 429_001, 'too many twin requests at once')
      return
    }
    const { twins } = this.#desk.stores
    this.#twinRequests++
    try {
      if (request === 'get') {
        const properties = await twins.propertiesOf(this.#deviceId)
        this.#publish(`$iothub/twin/res/200/?$rid=${requestId}`, properties)
        return
      }
      const change = await twins.report(this.#deviceId, text)
      if (change.kind === 'refused') this.#refuseTwin(requestId, change.errorCode, change.message)
      else this.#publish(`$iothub/twin/res/204/?$rid=${requestId}&$version=${change.version}`, '')
    } finally {
      this.#twinRequests--
    }
  }

  /** SDKs look at the status in the topic or at the body, so both say it. */
  #refuseTwin(requestId: string, errorCode: number, message: string): void {
    const status = Math.floor(errorCode / 1_000)
    const timestampUtc = new Date(this.#link.nowMs()).toISOString()
    const body = { errorCode, trackingId: requestId, message, timestampUtc }
    this.#publish(`$iothub/twin/res/${status}/?$rid=${requestId}`, JSON.stringify(body))
  }

  #publish(topic: string, payload: string): void {
    this.#send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false })
  }

  #send(packet: Parameters<typeof generate>[0]): void {
    if (this.#isEnded) return
    this.#link.send(generate(packet, { protocolVersion: this.#link.version }))
  }

  async #keep(): Promise<void> {
    if (!this.#link.isKept) return
    const isAny = hubFilters.some((name) => grantedQos(this.#subscriptions, name) !== undefined)
    await this.#desk.stores.sessions.keep(this.#deviceId, isAny ? this.#subscriptions : undefined)
  }
}

/** Topics of a session that begins without subscriptions. */
export function newTopics(desk: HubDesk, deviceId: string, link: SessionLink): HubTopics {
  return new HubTopics(desk, deviceId, link, 0)
}

/**
 * Topics of a session that goes on with the subscriptions of an earlier connection, or undefined if
 * there are none. What is kept ends here if the client begins anew or will not come back.
 */
export function resumeTopics(
  desk: HubDesk,
  deviceId: string,
  link: SessionLink,
): HubTopics | undefined {
  const store = desk.stores.sessions
  const kept = store.subscriptionsOf(deviceId)
  if (kept === undefined) return undefined
  if (link.isClean || !link.isKept) store.keep(deviceId, undefined).catch(link.failed)
  return link.isClean ? undefined : new HubTopics(desk, deviceId, link, kept)
}
