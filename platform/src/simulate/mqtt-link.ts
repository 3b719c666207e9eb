import mqtt, { type MqttClient } from 'mqtt'
import type { SimulatedMessage } from '../contracts/index.ts'
import { backoffMs } from './backoff.ts'
import type { Sleep } from './batch-endpoint.ts'
import type { Link } from './outbox.ts'

/** What a device logs in with; for SAS the password is a fresh token. */
export type DeviceLogin = { readonly username: string; readonly password: string }

/** How simulated devices reach the gateway over MQTT. */
export type MqttTransport = {
  readonly kind: 'mqtt'
  /** `mqtts://host:8883`, `mqtt://host:1883` or `wss://host/$iothub/websocket`. */
  readonly url: string
  /** 4 is MQTT 3.1.1, 5 is MQTT 5. Default 4. */
  readonly protocolVersion?: 4 | 5
  /** Certificate authority to trust, PEM. */
  readonly ca?: string
  /** Asked before every connection, so that tokens can be renewed. */
  readonly login: (deviceId: string) => DeviceLogin | Promise<DeviceLogin>
}

/** What every link needs from outside. */
export type LinkContext = {
  readonly sleep: Sleep
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number
  readonly signal: AbortSignal
  /** Told of every lost or refused connection. */
  readonly onTrouble: (deviceId: string, reason: string) => void
}

/** An acknowledgement later than this counts as a lost connection. */
const acknowledgeTimeoutMs = 30_000

function topicOf({ deviceId, messageId }: SimulatedMessage): string {
  const properties = `$.mid=${encodeURIComponent(messageId)}&$.ct=application%2Fjson&$.ce=utf-8`
  return `devices/${deviceId}/messages/events/${properties}`
}

/** Publishes with QoS 1; rejects if the connection ends before the acknowledgement. */
function publish(client: MqttClient, message: SimulatedMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new Error('connection closed before the acknowledgement'))
    client.once('close', onClose)
    client.publish(topicOf(message), message.payload, { qos: 1 }, (error) => {
      client.off('close', onClose)
      if (error instanceof Error) reject(error)
      else resolve()
    })
  })
}

/** Connects with a fresh login; rejects if the gateway refuses or is away. */
async function connect(
  deviceId: string,
  transport: MqttTransport,
  onTrouble: LinkContext['onTrouble'],
): Promise<MqttClient> {
  const { username, password } = await transport.login(deviceId)
  const options = {
    clientId: deviceId,
    username,
    password,
    protocolVersion: transport.protocolVersion ?? 4,
    clean: false,
    reconnectPeriod: 0,
    connectTimeout: 30_000,
    ...(transport.protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
    ...(transport.ca === undefined ? {} : { ca: transport.ca }),
  }
  const client = await mqtt.connectAsync(transport.url, options, false)
  // Without a listener an error after the connection would end the process.
  client.on('error', (error) => onTrouble(deviceId, error.message))
  return client
}

/**
 * One device's MQTT connection. It connects when there is something to send, reconnects with
 * jitter, and sends an unacknowledged message again with the same id.
 */
export function createMqttLink(
  deviceId: string,
  transport: MqttTransport,
  context: LinkContext,
): Link {
  const { sleep, signal, random, onTrouble } = context
  let client: MqttClient | undefined

  async function discard(): Promise<void> {
    const old = client
    client = undefined
    await old?.endAsync(true)
  }

  async function sendOnce(message: SimulatedMessage): Promise<void> {
    if (client?.connected !== true) {
      await discard()
      client = await connect(deviceId, transport, onTrouble)
    }
    // Told to stop while connecting: whoever owns this link has closed it already.
    if (signal.aborted) {
      await discard()
      signal.throwIfAborted()
    }
    const timer = new AbortController()
    const stop = AbortSignal.any([timer.signal, signal])
    const lateness = sleep(acknowledgeTimeoutMs, stop).then(() => {
      if (!timer.signal.aborted) throw new Error('no acknowledgement')
    })
    try {
      await Promise.race([publish(client, message), lateness])
    } finally {
      timer.abort()
    }
  }

  async function send(messages: readonly SimulatedMessage[]): Promise<void> {
    for (const message of messages) {
      for (let attempt = 0; ; attempt++) {
        signal.throwIfAborted()
        try {
          await sendOnce(message)
          break
        } catch (error) {
          // Any failure here is a connection that did not work; the message stays and goes again.
          onTrouble(deviceId, error instanceof Error ? error.message : String(error))
          await discard()
          await sleep(backoffMs(attempt, random()), signal)
        }
      }
    }
  }
  return { batchSize: 1, send, close: discard }
}
