import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import { isothermJson } from './system.ts'

/** A registered device with the secrets a client needs. */
export type TestDevice = {
  readonly device_id: string
  readonly connection_string: string
  readonly username: string
  readonly password: string
}

/** Registers devices through the command line; no server may own the folder. */
export async function registerDevices(
  data: string,
  deviceIds: readonly string[],
  fleet = 'refrigeration',
): Promise<readonly TestDevice[]> {
  const path = join(data, 'devices-to-register.ndjson')
  const rows = deviceIds.map((device_id) => ({
    device_id,
    site_id: 'SITE-TEST',
    username: `user-${device_id}`,
    password: `pass-${device_id}`,
  }))
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const made = await isothermJson<readonly { device_id: string; connection_string: string }[]>(
    'devices',
    'import',
    path,
    '--data',
    data,
    '--fleet',
    fleet,
  )
  return rows.map((row, index) => ({
    ...row,
    connection_string: made[index]?.connection_string ?? '',
  }))
}

/** Registers a collector and returns its token. */
export async function registerCollector(data: string, mayBackdate = false): Promise<string> {
  const [made] = await isothermJson<readonly { token: string }[]>(
    'devices',
    'collector',
    'verify',
    ...(mayBackdate ? ['--backdate'] : []),
    '--data',
    data,
  )
  return made?.token ?? ''
}

/** Connects an MQTT client that never resends by itself: a lost acknowledgement stays lost. */
export function connect(
  device: TestDevice,
  options: { readonly port: number; readonly version: 4 | 5; readonly ca?: string },
): Promise<MqttClient> {
  const client = mqtt.connect({
    host: 'localhost',
    port: options.port,
    protocol: options.ca === undefined ? 'mqtt' : 'mqtts',
    ...(options.ca !== undefined && { ca: options.ca }),
    protocolVersion: options.version,
    clientId: device.device_id,
    username: device.username,
    password: device.password,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: 20_000,
  })
  return new Promise((resolve, reject) => {
    client.once('connect', () => {
      client.on('error', () => client.end(true))
      resolve(client)
    })
    client.once('error', reject)
    client.once('close', () => reject(new Error('connection closed before it was accepted')))
  })
}

/** Plausible values of all 14 sensors, different for each number. */
export function readingsOf(n: number): Readonly<Record<string, number | boolean>> {
  const wave = Math.sin(n / 7)
  return {
    temperature_evaporator: round(-25 + wave),
    temperature_condenser: round(40 + 2 * wave),
    temperature_ambient: round(22 + wave / 2),
    temperature_discharge: round(70 + 3 * wave),
    temperature_suction: round(-10 + wave),
    pressure_high_side: round(1500 + 50 * wave),
    pressure_low_side: round(200 + 5 * wave),
    current_compressor: round(12 + wave / 2),
    vibration_compressor: round(3 + wave / 4),
    humidity: round(45 + 3 * wave),
    door_open_close: n % 20 === 0,
    defrost_cycle: false,
    superheat: round(8 + wave / 2),
    subcooling: round(5 + wave / 3),
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** A wide message of a device, ING-7. */
export function message(deviceId: string, timeMs: number, n: number): string {
  return JSON.stringify({
    device_id: deviceId,
    timestamp: new Date(timeMs).toISOString(),
    readings: readingsOf(n),
  })
}

/** Telemetry topic of a device. */
export function topic(deviceId: string): string {
  return `devices/${deviceId}/messages/events/`
}
