import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { createGateway, MemoryDirectory, signSasToken } from 'isotherm/gateway'
import { openLog } from 'isotherm/log'
import { openState } from 'isotherm/objects'
import { generate, type Packet } from 'mqtt-packet'
import { readCorpus } from './corpus.ts'
import type { Target } from './target.ts'
import { Wire } from './wire.ts'

const deviceId = 'REF-1'
const hostName = 'gw.example.com'
const key = Buffer.alloc(32, 7).toString('base64')
const topic = `devices/${deviceId}/messages/events/`
const payload = `{"device_id":"${deviceId}","timestamp":"2026-02-15T10:32:17Z","readings":{}}`

function login(protocolVersion: 4 | 5): Packet {
  return {
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion, clean: true, keepalive: 60 },
    ...{ clientId: deviceId, username: `${hostName}/${deviceId}/?api-version=2021-04-12` },
    password: Buffer.from(
      signSasToken({ hostName, deviceId, key, expiresAtMs: Date.UTC(2100, 0, 1) }),
    ),
  } as Packet
}

const publish = (more: object) =>
  ({
    cmd: 'publish',
    topic,
    payload,
    qos: 1,
    messageId: 7,
    dup: false,
    retain: false,
    ...more,
  }) as Packet

const twin = '$iothub/twin'
const properties = { contentType: 'application/json', userProperties: { a: 'b' } }
const packets: readonly (readonly [Packet, 4 | 5])[] = [
  [login(4), 4],
  [login(5), 5],
  [{ ...login(4), will: { topic, payload: 'gone', qos: 1, retain: false } } as Packet, 4],
  [publish({}), 4],
  [publish({ qos: 0 }), 4],
  [publish({ qos: 2 }), 4],
  [publish({ topic: `${topic}%24.mid=m1&%24.ct=application%2Fjson&a=b%20c`, retain: true }), 4],
  [publish({ properties: { ...properties, topicAlias: 3 } }), 5],
  [publish({ properties: { ...properties, correlationData: Buffer.from('x') } }), 5],
  [publish({ topic: `${twin}/GET/?$rid=1`, qos: 0, payload: ' ' }), 4],
  [publish({ topic: `${twin}/PATCH/properties/reported/?$rid=2`, payload: '{"a":{"b":null}}' }), 4],
  [publish({ topic: '$iothub/methods/res/200/?$rid=1', payload: '{}' }), 4],
  [
    {
      cmd: 'subscribe',
      messageId: 3,
      subscriptions: [
        { topic: `devices/${deviceId}/messages/devicebound/#`, qos: 1 },
        { topic: `${twin}/res/#`, qos: 0 },
        { topic: '$iothub/methods/POST/#', qos: 0 },
      ],
    },
    4,
  ],
  [{ cmd: 'unsubscribe', messageId: 4, unsubscriptions: [`${twin}/res/#`] }, 4],
  [{ cmd: 'pingreq' }, 4],
  [{ cmd: 'puback', messageId: 1 }, 4],
  [{ cmd: 'pubrel', messageId: 1 } as Packet, 4],
  [{ cmd: 'disconnect' }, 4],
  [{ cmd: 'disconnect', reasonCode: 4, properties: { sessionExpiryInterval: 9 } } as Packet, 5],
]
const words = [
  ...['MQTT', 'MQIsdp', '$iothub/', 'twin/PATCH/', '/messages/events/', 'devicebound/#', '?$rid='],
  ...['%24.mid=', '%', '%zz', '&', '=', '+', '#', '../', payload],
].map((word) => Buffer.from(word))
const lengths = [[0], [0x7f], [0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff], [0x80, 0x80, 1]]

/** Real sessions over a real log and state; broken code behind them shows as what is logged. */
export async function packetTarget(
  folder: string,
): Promise<{ readonly target: Target; readonly close: () => Promise<void> }> {
  const log = openLog({ directory: join(folder, 'log'), clock: Date.now })
  const state = await openState({
    ...{ path: ':memory:', secretKey: new Uint8Array(32), clock: Date.now },
  })
  const directory = new MemoryDirectory()
  const [example] = refrigeration.simulator?.devices({ count: 1, seed: 1 }) ?? []
  if (example === undefined) throw new Error('the refrigeration fleet has no simulator')
  directory.set({
    device: { ...example, device_id: deviceId },
    credentials: [{ kind: 'sas', primaryKey: key, secondaryKey: key }],
  })
  let failure: string | undefined
  const gateway = createGateway({
    ...{ log, directory, fleet: refrigeration, hostNames: [hostName], clock: Date.now, hub: state },
    limits: {
      ...{ deviceMessagesPerSecond: 1e6, deviceBurst: 1e6, connectionsPerSecond: 1e6 },
      ...{ deploymentMessagesPerSecond: 1e9, deploymentBurst: 1e9 },
    },
    logger: {
      info: () => undefined,
      warn: ({ error }) => {
        failure ??= error instanceof Error ? (error.stack ?? error.message) : String(error)
      },
    },
  })
  const seeds = packets.map(([packet, protocolVersion]) => generate(packet, { protocolVersion }))
  const logins = [seeds[0]!, seeds[1]!]
  let open: Wire[] = []
  let turn = 0
  const target: Target = {
    name: 'packets',
    seeds: [...seeds, ...readCorpus('packets')],
    words: [...words, ...lengths.map((bytes) => Buffer.from(bytes)), ...seeds],
    isWatched: (url) => url.includes('/platform/src/gateway/') || url.includes('/mqtt-packet/'),
    settle: async () => {
      // Admissions and answers go on behind; a session that was let in handles what it was sent.
      await wait(1)
      for (const wire of open) wire.destroy()
      open = []
    },
    take: (input) => {
      const wire = new Wire()
      wire.on('error', () => undefined)
      gateway.takeStream(wire)
      turn += 1
      // One in four comes instead of a CONNECT, the others behind one.
      const bytes = turn % 4 === 0 ? input : Buffer.concat([logins[turn % 2]!, input])
      wire.push(bytes)
      open.push(wire)
      const found = failure
      failure = undefined
      return found
    },
  }
  return {
    target,
    close: async () => {
      await gateway.close()
      state.close()
      await log.close()
    },
  }
}
