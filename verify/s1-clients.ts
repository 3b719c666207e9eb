import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { connect, message, readingsOf, registerDevices, type TestDevice, topic } from './devices.ts'
import type { Promised } from './promise.ts'
import { freePorts, query, startServer, temporaryFolder, until } from './system.ts'

const messageCount = 10_000
const referees = join(import.meta.dirname, '..', 'referees', 'package.json')

/** The part of the Azure SDK's client that is used; the SDK is a referee, not a dependency. */
type AzureClient = {
  setOptions(options: { readonly ca: string }): Promise<unknown>
  open(): Promise<unknown>
  sendEvent(message: unknown): Promise<unknown>
  close(): Promise<unknown>
}

type AzureSdk = {
  readonly Client: { fromConnectionString(text: string, transport: unknown): AzureClient }
  readonly Message: new (data: string) => { messageId: string }
  readonly Mqtt: unknown
}

function azureSdk(): AzureSdk | undefined {
  const require = createRequire(referees)
  if (!existsSync(join(referees, '..', 'node_modules', 'azure-iot-device'))) return undefined
  const device = require('azure-iot-device') as Pick<AzureSdk, 'Client' | 'Message'>
  const { Mqtt } = require('azure-iot-device-mqtt') as Pick<AzureSdk, 'Mqtt'>
  return { Client: device.Client, Message: device.Message, Mqtt }
}

type Share = { readonly device: TestDevice; readonly from: number; readonly to: number }

/** Sends messages a few at a time, as the client library queues them. */
async function inLanes(share: Share, send: (n: number) => Promise<unknown>): Promise<void> {
  let next = share.from
  const lane = async () => {
    while (next < share.to) {
      const n = next
      next += 1
      await send(n)
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

async function sendByMqtt(
  share: Share,
  startMs: number,
  options: Parameters<typeof connect>[1],
): Promise<void> {
  const { device } = share
  const client = await connect(device, options)
  await inLanes(share, (n) =>
    client.publishAsync(topic(device.device_id), message(device.device_id, startMs + n, n), {
      qos: 1,
    }),
  )
  await client.endAsync()
}

async function sendByAzure(
  share: Share,
  startMs: number,
  sdk: AzureSdk,
  ca: string,
): Promise<void> {
  const { device } = share
  const client = sdk.Client.fromConnectionString(device.connection_string, sdk.Mqtt)
  await client.setOptions({ ca })
  await client.open()
  await inLanes(share, (n) => {
    const telemetry = new sdk.Message(message(device.device_id, startMs + n, n))
    telemetry.messageId = `m-${n}`
    return client.sendEvent(telemetry)
  })
  await client.close()
}

type Stored = Readonly<Record<string, string | number | boolean | null>>

/** Unmodified clients over TLS: every reading lands once, with the values that were sent. */
export const promised: Promised = {
  id: 'S1',
  title: 'mqtt 3.1.1, mqtt 5 and azure-iot-device publish 10,000 readings over TLS',
  unit: 'readings that land once with equal values',
  bar: '10,000, visible to isotherm query within 10 s',
  quick: false,
  limitSeconds: 240,
  run: async (report) => {
    const sdk = azureSdk()
    if (sdk === undefined) {
      return { ok: false, value: 0, detail: { error: 'not installed: npm run setup:referees' } }
    }
    const folder = temporaryFolder('s1')
    try {
      const ids = ['TLS-V4', 'TLS-V5', 'TLS-AZURE']
      const devices = await registerDevices(folder.path, ids)
      const [port = 0] = await freePorts(1)
      // The Azure SDK knows one port only.
      const mqttsPort = 8883
      const server = await startServer({
        data: folder.path,
        port,
        mqttPort: 0,
        mqttsPort,
        commitSeconds: 5,
        more: ['--device-rate', '100000', '--device-burst', '100000'],
      })
      const ca = readFileSync(join(folder.path, 'certificates', 'server.pem'), 'utf8')
      const startMs = Date.now() - messageCount
      const [v4, v5, azure] = devices.map((device, index) => ({
        device,
        from: Math.floor((index * messageCount) / 3),
        to: Math.floor(((index + 1) * messageCount) / 3),
      }))
      if (v4 === undefined || v5 === undefined || azure === undefined) throw new Error('no devices')
      const tls = { port: mqttsPort, ca }
      await Promise.all([
        sendByMqtt(v4, startMs, { ...tls, version: 4 }),
        sendByMqtt(v5, startMs, { ...tls, version: 5 }),
        sendByAzure(azure, startMs, sdk, ca),
      ])
      report('all sent and acknowledged')
      const columns = Object.keys(readingsOf(0))
      const stored = () =>
        query<Stored>(
          folder.path,
          `SELECT device_id, epoch_ms(timestamp_device) AS t, ${columns.join(', ')} FROM raw_sensor_readings`,
        )
      let rows: readonly Stored[] = []
      const seconds =
        (await until('landing', 30_000, async () => {
          rows = await stored()
          return rows.length >= messageCount
        })) / 1000
      await server.stop()
      const seen = new Set<number>()
      let equal = 0
      for (const row of rows) {
        const n = Number(row.t) - startMs
        const sent = readingsOf(n)
        if (seen.has(n) || !columns.every((name) => row[name] === sent[name])) continue
        seen.add(n)
        equal += 1
      }
      return {
        ok: equal === messageCount && rows.length === messageCount && seconds <= 10,
        value: equal,
        detail: { rows: rows.length, visibleAfterSeconds: seconds },
      }
    } finally {
      folder.remove()
    }
  },
}
