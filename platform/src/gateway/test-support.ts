import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DeviceRow,
  type DoorBooks,
  defineFleet,
  type HubStores,
  type LogRecord,
  type Sensor,
} from '../contracts/index.ts'
import { openLog, type SegmentLog } from '../log/index.ts'
import { createGateway, type Gateway } from './gateway.ts'
import type { GatewayLimits } from './limits.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { signSasToken } from './sas-token.ts'

const gauge = (name: string, unit: string, unitSynonyms: readonly string[]): Sensor => ({
  name,
  short: name,
  label: name,
  kind: 'gauge',
  unit,
  unitSynonyms,
  group: 'unit',
  range: [-100, 100],
  resolution: 0.1,
  aggregates: ['mean'],
  meaning: name,
})

const state = (name: string): Sensor => ({
  name,
  short: name,
  label: name,
  kind: 'boolean',
  unit: '',
  group: 'unit',
  resolution: 0.01,
  aggregates: ['fraction'],
  meaning: name,
})

/** A small fleet for tests of the gateway: it knows nothing of real fleets. */
export const testFleet = defineFleet({
  name: 'bench',
  title: 'Bench',
  deviceNoun: 'unit',
  equipmentClasses: ['bench'],
  sensors: [
    gauge('temperature', '°C', ['celsius', 'c']),
    gauge('pressure', 'kPa', ['kpa']),
    state('door_open'),
    gauge('current', 'A', ['amps']),
  ],
  rangeProfiles: {},
  absolutePressureSensors: [],
  derivedFeatures: [],
  windowMinutes: [60],
  operatingModes: [],
  firmwareMatrix: [],
  models: [],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [],
  bands: [],
  importDefaults: {},
})

export function testDevice(deviceId: string, changes: Partial<DeviceRow> = {}): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'S-1',
    region: 'north',
    model: 'X',
    equipment_class: 'bench',
    climate_zone: null,
    customer_tier: null,
    cohort_id: null,
    install_date: null,
    firmware_version: null,
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: 0,
    valid_to: null,
    site_name: null,
    ...changes,
  }
}

export const benchKeys = {
  kind: 'sas',
  primaryKey: Buffer.alloc(32, 1).toString('base64'),
  secondaryKey: Buffer.alloc(32, 2).toString('base64'),
} as const

export const benchHost = 'gw.example.com'

/** CONNECT fields of a device as an IoT Hub SDK sends them. */
export function hubLogin(deviceId: string, key: string = benchKeys.primaryKey) {
  return {
    clientId: deviceId,
    username: `${benchHost}/${deviceId}/?api-version=2021-04-12`,
    password: signSasToken({
      hostName: benchHost,
      deviceId,
      key,
      expiresAtMs: Date.UTC(2100, 0, 1),
    }),
  }
}

export function benchMessage(deviceId: string, n: number): string {
  const timestamp = new Date(Date.UTC(2026, 1, 15) + n * 1_000).toISOString()
  return `{"device_id":"${deviceId}","timestamp":"${timestamp}","readings":{"pressure":${n}}}`
}

/** Limits out of the way of tests that are not about them. */
export const noRates: Partial<GatewayLimits> = {
  deviceMessagesPerSecond: 1e6,
  deviceBurst: 1e6,
  deploymentMessagesPerSecond: 1e7,
  deploymentBurst: 1e7,
  connectionsPerSecond: 1e5,
}

export type Bench = {
  readonly directory: MemoryDirectory
  readonly folder: string
  readonly log: SegmentLog
  readonly gateway: Gateway
  readonly metric: (name: string, label?: string) => number
  readonly records: () => Promise<readonly LogRecord[]>
  readonly close: () => Promise<void>
}

/** A gateway on a real log in a folder of its own. */
export function openBench(options: {
  readonly deviceIds: readonly string[]
  readonly limits?: Partial<GatewayLimits>
  readonly clock?: () => number
  readonly log?: (folder: string) => SegmentLog
  readonly hub?: HubStores
  readonly books?: DoorBooks
}): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'isotherm-ingest-'))
  const clock = options.clock ?? Date.now
  const log = options.log?.(folder) ?? openLog({ directory: folder, clock, tickMs: 1 })
  const directory = new MemoryDirectory()
  for (const deviceId of options.deviceIds) {
    directory.set({ device: testDevice(deviceId), credentials: [benchKeys] })
  }
  const gateway = createGateway({
    log,
    directory,
    fleet: testFleet,
    hostNames: [benchHost],
    clock,
    limits: { ...noRates, ...options.limits },
    ...(options.hub !== undefined && { hub: options.hub }),
    ...(options.books !== undefined && { books: options.books }),
  })
  return {
    directory,
    folder,
    log,
    gateway,
    metric: (name, label) =>
      gateway
        .metrics()
        .filter((one) => one.name === name)
        .filter(({ labels }) => label === undefined || Object.values(labels).includes(label))
        .reduce((sum, { value }) => sum + value, 0),
    records: () => recordsOf(log),
    close: async () => {
      await gateway.close()
      await log.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** All records of a log with one partition. */
export async function recordsOf(log: SegmentLog): Promise<readonly LogRecord[]> {
  const { startOffset, endOffset } = log.bounds(0)
  const found: LogRecord[] = []
  if (startOffset === endOffset) return found
  for await (const records of log.follow(0, startOffset, new AbortController().signal)) {
    found.push(...records)
    if (found.length >= endOffset - startOffset) break
  }
  return found
}
