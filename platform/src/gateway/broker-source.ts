import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import type { NewRecord } from '../contracts/index.ts'
import { AnswerQueue, noPacketId } from './answer-queue.ts'
import { eventIdOf } from './event-id.ts'
import type { GatewayCore } from './gateway-core.ts'
import type { MessageOwner } from './intake.ts'
import { maxPacketBytes } from './mqtt-connect.ts'
import { propertiesJson } from './property-bag.ts'
import { refusedBody } from './refusal.ts'
import { recordOf } from './telemetry.ts'
import { type TopicMap, topicMap } from './topic-map.ts'

/** An MQTT 5 broker of somebody else, and what is taken from it. */
export type BrokerSourceOptions = {
  readonly host: string
  readonly port: number
  /** TLS; `ca` is PEM, default the system's authorities. */
  readonly tls?: { readonly ca?: string }
  readonly username?: string
  readonly password?: string
  /** The broker keeps unacknowledged messages under this name; one for each process. */
  readonly clientId: string
  /** Consumers of one group share the messages; default `isotherm`. */
  readonly group?: string
  /** Topics with the device's place, for example `plant/{device}/readings`. */
  readonly topic: string
}

/** A running consumer. */
export type BrokerSource = {
  readonly isConnected: () => boolean
  /** Takes nothing more; what was taken is still acknowledged. */
  readonly stopReading: () => void
  readonly close: () => void
}

/** Messages the broker sends before it waits for an acknowledgement [MQTT5-3.1.2.11.3]. */
const receiveMaximum = 256
const keepAliveS = 30
/** How long the broker keeps what it could not deliver. */
const sessionExpiryS = 86_400
const firstRetryMs = 1_000
const lastRetryMs = 30_000

/** A device the registry does not know: its rows are quarantined at cleansing, ING-25. */
const unregistered = { timestamp_mode: 'utc', timezone: 'UTC' } as const

/** User properties of MQTT 5; a name that stands twice has several values. */
function* userProperties({ properties }: IPublishPacket): Iterable<readonly [string, string]> {
  for (const [name, value] of Object.entries(properties?.userProperties ?? {})) {
    for (const one of [value].flat()) yield [name, one]
  }
  if (properties?.contentType !== undefined) yield ['$.ct', properties.contentType]
}

/** A message of the broker as a record; what cannot be read is a dead letter with its reason. */
function brokerRecord(core: GatewayCore, map: TopicMap, packet: IPublishPacket): NewRecord {
  const payload = Buffer.from(packet.payload)
  const ingestedAtMs = core.clock()
  const deviceId = map.deviceIdOf(packet.topic)
  const device = deviceId === undefined ? undefined : core.desk.directory.device(deviceId)?.device
  if (deviceId !== undefined && (device === undefined || device.status === 'active')) {
    const source = { deviceId, protocol: 'mqtt5', messageId: undefined, ingestedAtMs } as const
    const properties = propertiesJson(userProperties(packet))
    return recordOf(core, payload, { ...source, properties, device: device ?? unregistered })
  }
  const detail =
    deviceId === undefined
      ? `topic ${packet.topic} names no device`
      : `${deviceId} is ${device?.status}, it may not send`
  core.counters.add('gateway_messages_refused_total', 'reason', 'IDENTITY_MISMATCH')
  const eventId = eventIdOf(deviceId ?? '', '', undefined, payload)
  const body = refusedBody('IDENTITY_MISMATCH', detail, payload)
  return { deviceId: deviceId ?? '', eventId, ingestedAtMs, protocol: 'mqtt5', body }
}

/**
 * Consumes a shared subscription and acknowledges each message when it is durable, in order. A
 * connection that breaks is made again; the broker then repeats what was not acknowledged.
 */
class Consumer implements BrokerSource, MessageOwner {
  readonly #core: GatewayCore
  readonly #options: BrokerSourceOptions
  readonly #map: TopicMap
  readonly #received: { value: number }
  #answers = new AnswerQueue()
  /** Messages of earlier connections on their way to the disk: they are not acknowledged here. */
  #orphans = 0
  #socket: Socket | undefined
  #isOpen = false
  #isClosed = false
  #isStopped = false
  #retryMs = firstRetryMs
  #retryTimer: NodeJS.Timeout | undefined
  #pingTimer: NodeJS.Timeout | undefined

  constructor(core: GatewayCore, options: BrokerSourceOptions) {
    this.#core = core
    this.#options = options
    this.#map = topicMap(options.topic)
    this.#received = core.counters.cell('gateway_messages_received_total')
    this.#connect()
  }

  isConnected(): boolean {
    return this.#isOpen
  }

  stopReading(): void {
    this.#isStopped = true
    this.#socket?.pause()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    this.#core.intake.forget(this)
    if (this.#isOpen) this.#socket?.end(generate({ cmd: 'disconnect' }, { protocolVersion: 5 }))
    else this.#socket?.destroy()
  }

  stored(): void {
    if (this.#orphans > 0) this.#orphans--
    else this.#answers.stored()
  }

  answer(): void {
    const answers = this.#answers.takeAnswers(this.#core.clock())
    if (answers !== undefined && answers.length > 0 && this.#isOpen) this.#socket?.write(answers)
  }

  resume(): void {
    if (!this.#isStopped) this.#socket?.resume()
  }

  abandon(): void {
    this.#socket?.destroy()
  }

  #connect(): void {
    const { host, port, tls } = this.#options
    const socket =
      tls === undefined
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ host, port, servername: host, minVersion: 'TLSv1.2', ...tls })
    this.#socket = socket
    const reader = parser({ protocolVersion: 5 })
    reader.on('packet', (packet: Packet) => this.#handle(packet))
    reader.on('error', () => socket.destroy())
    socket.setTimeout(keepAliveS * 1_500, () => socket.destroy())
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => this.#greet(socket))
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) reader.parse(chunk)
    })
    socket.on('error', (error) => this.#core.logger.warn({ error, host, port }, 'broker'))
    socket.on('close', () => this.#lost())
  }

  #greet(socket: Socket): void {
    const { clientId, username, password } = this.#options
    socket.write(
      generate(
        {
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: 5,
          clean: false,
          clientId,
          keepalive: keepAliveS,
          ...(username !== undefined && { username }),
          ...(password !== undefined && { password: Buffer.from(password) }),
          properties: {
            receiveMaximum,
            sessionExpiryInterval: sessionExpiryS,
            maximumPacketSize: maxPacketBytes(this.#core.limits),
          },
        },
        { protocolVersion: 5 },
      ),
    )
  }

  #handle(packet: Packet): void {
    switch (packet.cmd) {
      case 'connack':
        if (packet.reasonCode === 0) this.#subscribe()
        else this.#refused(`connection refused with code ${packet.reasonCode}`)
        return
      case 'suback': {
        const [code = 0x80] = packet.granted
        if (Number(code) >= 0x80) this.#refused(`subscription refused with code ${String(code)}`)
        else this.#core.logger.info({ filter: this.#map.filter }, 'broker subscribed')
        return
      }
      case 'publish':
        this.#take(packet)
        return
      case 'disconnect':
        this.#refused(`the broker ended the connection with code ${packet.reasonCode}`)
        return
      default:
    }
  }

  #subscribe(): void {
    this.#isOpen = true
    this.#retryMs = firstRetryMs
    const topic = `$share/${this.#options.group ?? 'isotherm'}/${this.#map.filter}`
    const packet = { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] } as const
    this.#socket?.write(
      generate({ ...packet, subscriptions: [...packet.subscriptions] }, { protocolVersion: 5 }),
    )
    this.#pingTimer = setInterval(
      () => this.#socket?.write(Buffer.from([0xc0, 0])),
      keepAliveS * 500,
    )
  }

  #take(packet: IPublishPacket): void {
    const { intake } = this.#core
    this.#received.value++
    this.#answers.push(packet.qos === 0 ? noPacketId : (packet.messageId ?? noPacketId), 0)
    intake.submit(brokerRecord(this.#core, this.#map, packet), this)
    if (!intake.isFull) return
    this.#socket?.pause()
    intake.waitForRoom(this)
  }

  #refused(why: string): void {
    const { host, port } = this.#options
    this.#core.logger.warn({ host, port, why }, 'broker')
    this.#core.counters.add('gateway_broker_failures_total')
    this.#socket?.destroy()
  }

  #lost(): void {
    this.#isOpen = false
    clearInterval(this.#pingTimer)
    this.#orphans += this.#answers.length - this.#answers.durableCount
    this.#answers = new AnswerQueue()
    if (this.#isClosed || this.#isStopped) return
    this.#retryTimer = setTimeout(() => this.#connect(), this.#retryMs)
    this.#retryMs = Math.min(lastRetryMs, this.#retryMs * 2)
  }
}

/**
 * Takes telemetry from an MQTT broker that is there already, by a shared subscription at QoS 1,
 * under the gateway's own guarantees.
 * @throws IsothermError INPUT_INVALID for a topic pattern without exactly one `{device}`
 */
export function consumeBroker(core: GatewayCore, options: BrokerSourceOptions): BrokerSource {
  return new Consumer(core, options)
}
