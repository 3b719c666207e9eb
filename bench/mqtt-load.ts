// Load generator of mqtt-ingest.bench.ts: raw sockets, because a client library would cost more
// than the gateway that is measured.
import { connect, type Socket } from 'node:net'
import { signSasToken } from 'isotherm/gateway'
import { generate } from 'mqtt-packet'
import type { LoadOrder } from './mqtt-ingest.bench.ts'

/** Messages of one connection that wait for their PUBACK at a time. */
const inFlight = 8
const pubackBytes = 4
const connackBytes = 4

type Connection = {
  readonly socket: Socket
  readonly packet: Buffer
  readonly idAt: number
  /** Called with the number of bytes that came. */
  onBytes: (count: number) => void
}

function payloadOf(deviceId: string): string {
  return JSON.stringify({
    device_id: deviceId,
    timestamp: new Date().toISOString(),
    readings: {
      ...{ temperature_evaporator: -21.39, temperature_condenser: 42.16 },
      ...{ temperature_ambient: 23.07, temperature_discharge: 73.67, temperature_suction: -14.45 },
      ...{ pressure_high_side: 1600.59, pressure_low_side: 227.81, current_compressor: 15.02 },
      ...{ vibration_compressor: 2.89, humidity: 14.04, door_open_close: false },
      ...{ defrost_cycle: false, superheat: 5.31, subcooling: 4.2 },
    },
  })
}

function open(deviceId: string, port: number, key: string): Promise<Connection> {
  const hostName = 'localhost'
  const expiresAtMs = Date.now() + 3_600_000
  const topic = `devices/${deviceId}/messages/events/`
  const packet = generate({
    ...{ cmd: 'publish', topic, payload: payloadOf(deviceId), qos: 1, messageId: 1 },
    ...{ dup: false, retain: false },
  })
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const idAt = packet.indexOf(topic) + topic.length
  const connection: Connection = { socket, packet, idAt, onBytes: () => undefined }
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.on('data', (bytes) => connection.onBytes(bytes.length))
    let greeted = 0
    connection.onBytes = (count) => {
      greeted += count
      if (greeted === connackBytes) resolve(connection)
    }
    socket.write(
      generate({
        ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 600 },
        ...{ clientId: deviceId, username: `${hostName}/${deviceId}/?api-version=2021-04-12` },
        password: Buffer.from(signSasToken({ hostName, deviceId, key, expiresAtMs })),
      }),
    )
  })
}

/** Sends a number of messages on a connection and waits for all acknowledgements. */
function publish(connection: Connection, count: number): Promise<void> {
  const { socket, packet, idAt } = connection
  return new Promise((resolve) => {
    let sent = 0
    let acknowledgedBytes = 0
    const send = (allowed: number) => {
      const packets: Buffer[] = []
      while (sent < count && packets.length < allowed) {
        sent += 1
        const copy = Buffer.from(packet)
        copy.writeUInt16BE(sent, idAt)
        packets.push(copy)
      }
      if (packets.length > 0) socket.write(Buffer.concat(packets))
    }
    connection.onBytes = (bytes) => {
      const before = Math.floor(acknowledgedBytes / pubackBytes)
      acknowledgedBytes += bytes
      const acknowledged = Math.floor(acknowledgedBytes / pubackBytes)
      if (acknowledged === count) resolve()
      else send(acknowledged - before)
    }
    send(inFlight)
  })
}

const connections: Connection[] = []

async function obey(order: LoadOrder): Promise<void> {
  if (order.kind === 'publish') {
    await Promise.all(connections.map((connection) => publish(connection, order.perConnection)))
    return
  }
  for (let n = 0; n < order.count; n += 100) {
    const ids = Array.from({ length: Math.min(100, order.count - n) }, (_, k) => `LOAD-${n + k}`)
    connections.push(...(await Promise.all(ids.map((id) => open(id, order.port, order.key)))))
  }
}

process.on('message', (order: LoadOrder) => {
  obey(order).then(
    () => process.send?.('done'),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
