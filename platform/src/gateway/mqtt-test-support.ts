import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate } from 'mqtt-packet'
import { type Bench, benchMessage, hubLogin, openBench } from './test-support.ts'

const benches: Bench[] = []
const clients: MqttClient[] = []
const sockets: Socket[] = []

/** Ends everything a test began. */
export async function cleanUp(): Promise<void> {
  for (const client of clients.splice(0)) client.end(true)
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const bench of benches.splice(0)) await bench.close()
}

export async function start(options: Parameters<typeof openBench>[0]) {
  const bench = openBench(options)
  benches.push(bench)
  const { port } = await bench.gateway.listenMqtt({ port: 0, host: '127.0.0.1' })
  return { ...bench, port }
}

export async function client(port: number, options: IClientOptions): Promise<MqttClient> {
  const device = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...options,
  })
  opened(device)
  return device
}

/** Has the client ended with the test; being ended by the gateway is what some tests are about. */
export function opened(device: MqttClient): void {
  clients.push(device)
  device.on('error', () => undefined)
}

export const topicOf = (deviceId: string, bag = ''): string =>
  `devices/${deviceId}/messages/events/${bag}`

export const closed = (client: MqttClient): Promise<void> =>
  new Promise((resolve) => (client.connected ? client.once('close', () => resolve()) : resolve()))

export const reasonOf = (client: MqttClient): Promise<number | undefined> =>
  new Promise((resolve) => client.once('disconnect', ({ reasonCode }) => resolve(reasonCode)))

export async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  if (!isTrue()) throw new Error('it did not become true within 5 s')
}

export async function pressuresOf(bench: Bench): Promise<readonly number[]> {
  return (await bench.records()).map(
    ({ body }) => JSON.parse(Buffer.from(body.payload).toString()).readings.pressure,
  )
}

export function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', () => undefined)
    sockets.push(socket)
  })
}

export const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))

export function connectFrame(deviceId: string): Buffer {
  const { clientId, username, password } = hubLogin(deviceId)
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 60,
    clientId,
    username,
    password: Buffer.from(password),
  })
}

export function publishFrame(deviceId: string, n: number): Buffer {
  return generate({
    cmd: 'publish',
    topic: topicOf(deviceId),
    payload: benchMessage(deviceId, n),
    qos: 1,
    messageId: n + 1,
    dup: false,
    retain: false,
  })
}
