import { createHmac, randomBytes, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { exampleFleet, newDevice } from 'isotherm/contracts'
import { createGateway, type Gateway } from 'isotherm/gateway'
import { openLog } from 'isotherm/log'
import { openState, type State } from 'isotherm/objects'
import mqtt, { type MqttClient } from 'mqtt'
import { generate } from 'selfsigned'

/** Names of the gateway: its own and the one of the hub it took over. */
export const ownHost = 'gw.example.com'
export const oldHost = 'old-hub.azure-devices.net'

/** A certificate with its key, PEM. */
export type Pair = { readonly cert: string; readonly key: string }

const dayMs = 86_400_000

/** Makes a certificate, self-signed unless an issuer is given. */
export async function certificate(
  commonName: string,
  more: {
    readonly issuer?: Pair
    readonly isAuthority?: boolean
    readonly days?: readonly [from: number, until: number]
  } = {},
): Promise<Pair> {
  const { issuer, isAuthority = false, days = [-1, 300] } = more
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + days[0] * dayMs),
    notAfterDate: new Date(Date.now() + days[1] * dayMs),
    ...(issuer && { ca: issuer }),
    extensions: [{ name: 'basicConstraints', cA: isAuthority, critical: true }],
  })
  return { cert: made.cert, key: made.private }
}

/** Thumbprint and serial number of a certificate. */
export function namesOf(pair: Pair): { readonly sha1: string; readonly serial: string } {
  const parsed = new X509Certificate(pair.cert)
  return { sha1: parsed.fingerprint.replaceAll(':', ''), serial: parsed.serialNumber }
}

/** A random SAS key. */
export const freshKey = (): string => randomBytes(32).toString('base64')

/** Signs a token over `sr` exactly as given. */
export function token(
  sr: string,
  key: string,
  more: { readonly inSeconds?: number; readonly policy?: string } = {},
): string {
  const se = Math.floor(Date.now() / 1_000) + (more.inSeconds ?? 3_600)
  const sig = createHmac('sha256', Buffer.from(key, 'base64'))
    .update(`${sr}\n${se}`)
    .digest('base64')
  const skn = more.policy === undefined ? '' : `&skn=${more.policy}`
  return `SharedAccessSignature sr=${sr}&sig=${encodeURIComponent(sig)}&se=${se}${skn}`
}

/** What a client presents in its CONNECT. */
export type Login = {
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  readonly pair?: Pair
}

/** A gateway with TLS on a state store and a log of its own. */
export type IdentityBench = {
  readonly state: State
  readonly gateway: Gateway
  readonly addDevice: (
    deviceId: string,
    status?: 'active' | 'disabled' | 'decommissioned',
  ) => Promise<void>
  /** Connects; undefined if the gateway refused it. @throws if there was no answer at all */
  readonly enter: (login: Login) => Promise<MqttClient | undefined>
  readonly close: () => Promise<void>
}

function connect(port: number, login: Login): Promise<MqttClient | undefined> {
  const { pair, ...fields } = login
  const client = mqtt.connect({
    host: '127.0.0.1',
    port,
    protocol: 'mqtts',
    rejectUnauthorized: false,
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    ...fields,
    ...pair,
  })
  return new Promise((resolve, reject) => {
    client.once('connect', () => {
      client.on('error', () => client.end(true))
      resolve(client)
    })
    client.once('error', (error) => {
      client.end(true)
      // 2 identifier, 4 credentials, 5 not authorized: a verdict. 3 would be a fault of the server.
      const isVerdict = 'code' in error && [2, 4, 5].includes(Number(error.code))
      if (isVerdict) resolve(undefined)
      else reject(error)
    })
    client.once('close', () => reject(new Error('closed without a verdict')))
  })
}

/** Opens the bench in a folder. */
export async function openIdentityBench(folder: string): Promise<IdentityBench> {
  const clock = Date.now
  const state = await openState({
    path: join(folder, 'state.db'),
    secretKey: randomBytes(32),
    clock,
  })
  const log = openLog({ directory: join(folder, 'log'), clock, tickMs: 1 })
  const gateway = createGateway({
    log,
    directory: state.credentials.identity,
    fleet: exampleFleet,
    hostNames: [ownHost, oldHost],
    clock,
  })
  const server = await certificate('localhost', { isAuthority: true })
  const { port } = await gateway.listenMqtt({ port: 0, host: '127.0.0.1', tls: server })
  return {
    state,
    gateway,
    addDevice: async (deviceId, status = 'active') => {
      const row = newDevice({ device_id: deviceId, valid_from: clock() })
      await state.registry.upsert([{ ...row, status }])
    },
    enter: (login) => connect(port, login),
    close: async () => {
      await gateway.close()
      await log.close()
      await state.close()
    },
  }
}
