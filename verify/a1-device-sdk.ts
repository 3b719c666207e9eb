import { type DeviceSdk, deviceSdk, type SdkClient, type SdkMessage } from './device-sdk.ts'
import { message, registerDevices, type TestDevice } from './devices.ts'
import { callApi, type OwnAuthority, ownAuthority } from './own-authority.ts'
import type { Promised } from './promise.ts'
import { isothermJson, query, type Server, startServer, temporaryFolder, until } from './system.ts'

const stepLimitMs = 20_000
/** Ports the SDKs know and cannot be told otherwise. */
const httpsPort = 443
const mqttsPort = 8883

type Scene = {
  readonly sdk: DeviceSdk
  readonly server: Server
  readonly authority: OwnAuthority
  readonly data: string
  readonly devices: Readonly<Record<'mqtt' | 'ws' | 'https' | 'renewal', TestDevice>>
}

type Call = readonly [name: string, run: () => Promise<void>]

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

function withLimit<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`not within ${stepLimitMs} ms`)), stepLimitMs)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/** Calls of the service side, over the API. */
function serviceOf({ server, authority }: Scene, device: TestDevice) {
  const path = `/api/v1/devices/${device.device_id}`
  const call = <T>(method: 'GET' | 'POST' | 'PATCH', what: string, body?: unknown) =>
    callApi<T>(server, authority.ca, method, what, body)
  return {
    send: (body: object) => call<{ expires_at: string }>('POST', `${path}/messages`, body),
    pending: async () =>
      (await call<{ messages: unknown[] }>('GET', `${path}/messages`)).messages.length,
    feedback: async () =>
      (
        await call<{ feedback: { message_id: string; status: string }[] }>(
          'GET',
          '/api/v1/message-feedback',
        )
      ).feedback,
    twin: () =>
      call<{ properties: { reported: Record<string, unknown> } }>(
        'GET',
        `/twins/${device.device_id}`,
      ),
    desire: (desired: object) =>
      call('PATCH', `/twins/${device.device_id}`, { properties: { desired } }),
    method: (methodName: string, payload: unknown) =>
      call<{ status: number; payload: unknown }>('POST', `/twins/${device.device_id}/methods`, {
        methodName,
        payload,
        connectTimeoutInSeconds: 10,
        responseTimeoutInSeconds: 10,
      }),
  }
}

/** Messages a client has been sent, to be taken one after the other. */
function inboxOf(client: SdkClient): () => Promise<SdkMessage> {
  const received: SdkMessage[] = []
  client.on('message', (one) => received.push(one))
  return async () => {
    await until('a message to the device', stepLimitMs, async () => received.length > 0)
    const [first] = received.splice(0, 1)
    if (first === undefined) throw new Error('no message')
    return first
  }
}

function telemetry({ sdk }: Scene, device: TestDevice, n: number): SdkMessage {
  const made = new sdk.Message(message(device.device_id, Date.now() - 60_000 + n, n))
  made.messageId = `${device.device_id}-${n}`
  made.contentType = 'application/json'
  made.contentEncoding = 'utf-8'
  made.properties.add('level', 'normal & hot')
  return made
}

function clientOf({ sdk, authority }: Scene, device: TestDevice, transport: unknown) {
  const client = sdk.Client.fromConnectionString(device.connection_string, transport)
  // The SDK sends after a while anyway; what breaks shows in the call that waits for it.
  client.on('error', () => undefined)
  client.on('disconnect', () => undefined)
  // Over HTTPS the SDK answers only when it is told how often to poll.
  const http = { receivePolicy: { interval: 1 } }
  return client.setOptions({ ca: authority.ca, http }).then(() => client)
}

function reported(client: SdkClient, patch: object): Promise<void> {
  return client.getTwin().then(
    (twin) =>
      new Promise((resolve, reject) => {
        twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()))
      }),
  )
}

async function mqttCalls(scene: Scene): Promise<readonly Call[]> {
  const device = scene.devices.mqtt
  const client = await clientOf(scene, device, scene.sdk.Mqtt)
  const service = serviceOf(scene, device)
  const nextMessage = inboxOf(client)
  let first: SdkMessage | undefined
  return [
    ['mqtt: open with a token', async () => void (await client.open())],
    [
      'mqtt: sendEvent with properties',
      async () => void (await client.sendEvent(telemetry(scene, device, 1))),
    ],
    [
      'mqtt: message with properties',
      async () => {
        const sent = ['--message-id', 'c2d-1', '--ack', 'full', '--property', 'fan speed=9/10']
        await isothermJson(
          ...['devices', 'send', device.device_id, 'defrost'],
          ...['--data', scene.data, ...sent],
        )
        first = await nextMessage()
        require(first.getData().toString() === 'defrost', 'another body')
        require(first.messageId === 'c2d-1', 'another message id')
        require(first.properties.getValue('fan speed') === '9/10', 'another property')
      },
    ],
    [
      'mqtt: complete, with feedback',
      async () => {
        if (first === undefined) throw new Error('no message to complete')
        await client.complete(first)
        await until('feedback', stepLimitMs, async () =>
          (await service.feedback()).some((one) => one.message_id === 'c2d-1'),
        )
      },
    ],
    [
      'mqtt: message with an expiry',
      async () => {
        const { expires_at: expiresAt } = await service.send({ body: 'x', time_to_live_s: 90 })
        const received = await nextMessage()
        require(new Date(String(received.expiryTimeUtc)).getTime() ===
          Date.parse(expiresAt), `expiry is ${received.expiryTimeUtc}`)
        await client.complete(received)
      },
    ],
    [
      'mqtt: getTwin',
      async () => {
        await service.desire({ target: 4 })
        const twin = await client.getTwin()
        require(twin.properties.desired.target === 4, 'another desired property')
      },
    ],
    [
      'mqtt: reported properties',
      async () => {
        await reported(client, { firmware: { version: '3.2.1' } })
        const { properties } = await service.twin()
        const found = JSON.stringify(properties.reported.firmware)
        require(found === '{"version":"3.2.1"}', `reported ${found}`)
      },
    ],
    [
      'mqtt: desired properties pushed',
      async () => {
        const twin = await client.getTwin()
        const { promise, resolve } = Promise.withResolvers<unknown>()
        twin.on('properties.desired', (delta) => {
          if (delta.mode !== undefined) resolve(delta.mode)
        })
        // The SDK subscribes when a listener comes; a push before that is read with the twin.
        await new Promise((done) => setTimeout(done, 500))
        await service.desire({ mode: 'eco' })
        require((await promise) === 'eco', 'another mode')
      },
    ],
    ['mqtt: direct method', () => methodAnswered(scene, client, device)],
  ]
}

async function methodAnswered(scene: Scene, client: SdkClient, device: TestDevice): Promise<void> {
  client.onDeviceMethod('reboot', (request, response) => {
    response.send(201, { got: request.payload }, (error) => {
      if (error) console.error(error)
    })
  })
  const { status, payload } = await serviceOf(scene, device).method('reboot', { delay: 3 })
  require(status === 201, `status ${status}`)
  require(JSON.stringify(payload) === '{"got":{"delay":3}}', `answer ${JSON.stringify(payload)}`)
}

/** A token of six seconds, renewed after three: what the SDK does every 45 minutes. */
async function renewalCall(scene: Scene): Promise<Call> {
  const device = scene.devices.renewal
  return [
    'mqtt: token renewal',
    async () => {
      const { Client, KeyProvider, Mqtt } = scene.sdk
      const provider = KeyProvider.fromConnectionString(device.connection_string, 6, 3)
      const client = Client.fromAuthenticationProvider(provider, Mqtt)
      client.on('error', () => undefined)
      await client.setOptions({ ca: scene.authority.ca })
      await client.open()
      const nextMessage = inboxOf(client)
      for (let n = 0; n < 10; n++) {
        await client.sendEvent(telemetry(scene, device, n))
        await new Promise((done) => setTimeout(done, 1_000))
      }
      await serviceOf(scene, device).send({ body: 'after renewal' })
      await nextMessage()
      await client.close()
    },
  ]
}

async function webSocketCalls(scene: Scene): Promise<readonly Call[]> {
  const device = scene.devices.ws
  const client = await clientOf(scene, device, scene.sdk.MqttWs)
  const service = serviceOf(scene, device)
  const nextMessage = inboxOf(client)
  return [
    [
      'ws: open and sendEvent',
      async () => {
        await client.open()
        await client.sendEvent(telemetry(scene, device, 1))
      },
    ],
    [
      'ws: message, complete',
      async () => {
        await service.send({ body: 'over ws' })
        const received = await nextMessage()
        require(received.getData().toString() === 'over ws', 'another body')
        await client.complete(received)
        await until('the queue', stepLimitMs, async () => (await service.pending()) === 0)
      },
    ],
    [
      'ws: getTwin and reported properties',
      async () => {
        await reported(client, { over: 'ws' })
        require((await service.twin()).properties.reported.over === 'ws', 'another property')
      },
    ],
    [
      'ws: direct method',
      async () => {
        await methodAnswered(scene, client, device)
        await client.close()
      },
    ],
  ]
}

async function httpsCalls(scene: Scene): Promise<readonly Call[]> {
  const device = scene.devices.https
  const client = await clientOf(scene, device, scene.sdk.Http)
  const service = serviceOf(scene, device)
  const nextMessage = inboxOf(client)
  return [
    [
      'https: open and sendEvent',
      async () => {
        await client.open()
        await client.sendEvent(telemetry(scene, device, 1))
      },
    ],
    [
      'https: sendEventBatch',
      async () => {
        const batch = [2, 3, 4].map((n) => telemetry(scene, device, n))
        await client.sendEventBatch(batch)
      },
    ],
    [
      'https: receive and complete',
      async () => {
        await service.send({ body: 'polled', message_id: 'c2d-9', properties: { level: 'low' } })
        const received = await nextMessage()
        require(received.getData().toString() === 'polled', 'another body')
        require(received.messageId === 'c2d-9', 'another message id')
        const names = received.properties.propertyList.map(({ key }) => key)
        require(names.includes('iothub-app-level'), `properties ${names}`)
        await client.complete(received)
        require((await service.pending()) === 0, 'it is still in the queue')
      },
    ],
    [
      'https: abandon, then reject',
      async () => {
        await service.send({ body: 'again', message_id: 'c2d-10', ack: 'negative' })
        await client.abandon(await nextMessage())
        await client.reject(await nextMessage())
        const feedback = await service.feedback()
        const found = feedback.find((one) => one.message_id === 'c2d-10')?.status
        require(found === 'Rejected', `feedback ${found}`)
        await client.close()
      },
    ],
  ]
}

/** Telemetry of all transports, one row each, with what was sent. */
const rowsExpected = 1 + 10 + 1 + 4

/** The Azure device SDK as it comes from npm: every call of the table works against our gateway. */
export const promised: Promised = {
  id: 'A1',
  title:
    'azure-iot-device over MQTT, WebSocket and HTTPS, unmodified, TLS with an authority of ours',
  unit: 'of 18 calls',
  bar: '18 of 18',
  quick: false,
  limitSeconds: 180,
  run: async (report) => {
    const sdk = deviceSdk()
    if (sdk === undefined) {
      return { ok: false, value: 0, detail: { error: 'not installed: npm run setup:referees' } }
    }
    const folder = temporaryFolder('a1')
    const outcomes: Record<string, string> = {}
    try {
      const ids = ['SDK-MQTT', 'SDK-WS', 'SDK-HTTPS', 'SDK-RENEWAL']
      const [mqtt, ws, https, renewal] = await registerDevices(folder.path, ids)
      if (!mqtt || !ws || !https || !renewal) throw new Error('no devices')
      const authority = await ownAuthority(folder.path)
      const server = await startServer({
        data: folder.path,
        port: httpsPort,
        mqttPort: 0,
        mqttsPort,
        more: [...authority.more],
      })
      const devices = { mqtt, ws, https, renewal }
      const scene = { sdk, server, authority, data: folder.path, devices }
      const calls = [
        ...(await mqttCalls(scene)),
        await renewalCall(scene),
        ...(await webSocketCalls(scene)),
        ...(await httpsCalls(scene)),
      ]
      for (const [name, run] of calls) {
        const error = await withLimit(run()).then(() => undefined, String)
        outcomes[name] = error ?? 'ok'
        report(`${name}: ${outcomes[name]}`)
      }
      let rowCount = 0
      await until('landing', stepLimitMs, async () => {
        const rows = await query<{ n: number }>(
          folder.path,
          'SELECT count(*) AS n FROM raw_sensor_readings',
        )
        rowCount = Number(rows[0]?.n)
        return rowCount >= rowsExpected
      })
      await server.stop()
      const passed = Object.values(outcomes).filter((one) => one === 'ok').length
      return {
        ok: passed === 18 && calls.length === 18 && rowCount === rowsExpected,
        value: passed,
        detail: { calls: outcomes, rowCount, rowsExpected },
      }
    } finally {
      folder.remove()
    }
  },
}
