import { type AddressInfo, createServer, type Socket } from 'node:net'
import mqttPacket, { type IConnectPacket, type IPublishPacket } from 'mqtt-packet'
import type { CountedMessage } from './batch-server.ts'

/** A publish the server has acknowledged or swallowed. */
export type Received = {
  readonly topic: string
  readonly qos: number
  readonly message: CountedMessage
}

/** What a test may make the server do. */
export type Behaviour = {
  /** Return code of CONNACK; 0 accepts. */
  readonly connect?: (packet: IConnectPacket, connectIndex: number) => number
  /** Whether to acknowledge a publish, or cut the connection instead. */
  readonly publish?: (packet: IPublishPacket, publishIndex: number) => 'acknowledge' | 'cut'
}

/** A real MQTT endpoint on a socket, as little of one as publishing devices need. */
export async function startMqttServer(behaviour: Behaviour = {}) {
  const connects: IConnectPacket[] = []
  const received: Received[] = []
  const sockets = new Set<Socket>()
  let publishCount = 0

  function onConnect(socket: Socket, packet: IConnectPacket): void {
    const code = behaviour.connect?.(packet, connects.length) ?? 0
    connects.push(packet)
    const version = packet.protocolVersion ?? 4
    const result = version === 5 ? { reasonCode: code } : { returnCode: code }
    socket.write(
      mqttPacket.generate(
        { cmd: 'connack', sessionPresent: false, ...result },
        { protocolVersion: version },
      ),
    )
    if (code !== 0) socket.end()
  }

  function onPublish(socket: Socket, packet: IPublishPacket): void {
    if (behaviour.publish?.(packet, publishCount++) === 'cut') {
      socket.destroy()
      return
    }
    const message = JSON.parse(packet.payload.toString()) as CountedMessage
    received.push({ topic: packet.topic, qos: packet.qos, message })
    const { messageId } = packet
    if (messageId !== undefined) socket.write(mqttPacket.generate({ cmd: 'puback', messageId }))
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    const parser = mqttPacket.parser()
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connect') onConnect(socket, packet)
      if (packet.cmd === 'publish') onPublish(socket, packet)
      if (packet.cmd === 'pingreq') socket.write(mqttPacket.generate({ cmd: 'pingresp' }))
      if (packet.cmd === 'disconnect') socket.end()
    })
    socket.on('data', (bytes) => {
      if (typeof bytes !== 'string') parser.parse(bytes)
    })
    socket.on('close', () => sockets.delete(socket))
    // A cut connection shows up as a reset on this side as well.
    socket.on('error', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `mqtt://127.0.0.1:${port}`,
    connects,
    received,
    openCount: () => sockets.size,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}
