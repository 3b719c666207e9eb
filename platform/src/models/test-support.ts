import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, nextNormal } from '@isotherm/anomaly'
import {
  defineFleet,
  type FleetDefinition,
  featureColumns,
  type ModelSpec,
} from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import type { FeatureRows, FleetDevice } from './feature-rows.ts'

/** Start of the test data: a Monday, 00:00 UTC. */
export const fixtureStartMs = Date.UTC(2026, 0, 5)

const forest: ModelSpec = {
  kind: 'isolation_forest',
  modelId: 'isolation_forest',
  features: 'all',
  windowMinutes: [60],
  contamination: 0.05,
  seed: 42,
  treeCount: 50,
  sampleSize: 128,
  cleaningFraction: 0.02,
}

const baseline: ModelSpec = {
  kind: 'robust_baseline',
  modelId: 'statistical_baseline',
  features: 'means_and_stds',
  windowMinutes: [60],
  contamination: 0.05,
  seed: 42,
  minDeviceDays: 7,
  minDeviceRows: 30,
  minCohortDevices: 3,
}

/** A fleet of pumps: small enough to read, with everything the models look at. */
export const pumps: FleetDefinition = defineFleet({
  name: 'pumps',
  title: 'Pumps',
  deviceNoun: 'pump',
  equipmentClasses: ['pump'],
  sensors: (['pressure', 'current', 'temperature'] as const).map((name) => ({
    name,
    short: name,
    label: name,
    kind: 'gauge',
    unit: { pressure: 'kPa', current: 'A', temperature: '°C' }[name],
    group: { pressure: 'pressure', current: 'compressor', temperature: 'temperature' }[name],
    resolution: 0.1,
    aggregates: ['mean', 'std'],
    meaning: name,
  })),
  rangeProfiles: {},
  absolutePressureSensors: [],
  derivedFeatures: [],
  windowMinutes: [60, 15],
  operatingModes: [],
  firmwareMatrix: [],
  models: [forest, baseline],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [],
  bands: [],
  importDefaults: {},
})

/** Registry rows of the test fleet: two cohorts. */
export function pumpDevices(count: number): readonly FleetDevice[] {
  return Array.from({ length: count }, (_, index) => ({
    device_id: `pump-${String(index).padStart(3, '0')}`,
    cohort_id: `cohort-${index % 2}`,
    model: `M${index % 2}`,
    reporting_interval_s: 60,
    status: 'active',
  }))
}

/** Rows to write into `device_features`. */
export type PumpHistory = {
  readonly deviceCount: number
  readonly startMs: number
  readonly hours: number
  readonly durationMinutes?: number
  /** SQL expression over `d` (device number) and `w` (window number) per column. */
  readonly overrides?: Readonly<Record<string, string>>
  readonly order?: string
  readonly nowMs: number
}

/** Repeatable noise in [-1, 1] from device, window and a salt. */
export function noise(salt: number): string {
  return `((hash(d * 1000003 + w * 7919 + ${salt}) % 20001) / 10000.0 - 1)`
}

/** Writes windows of the test fleet: two cohorts with different levels, a daily rhythm, noise. */
export async function writePumpHistory(lake: Lake, history: PumpHistory): Promise<void> {
  const { deviceCount, startMs, hours, durationMinutes = 60, overrides = {}, nowMs } = history
  const windows = Math.round((hours * 60) / durationMinutes)
  const rhythm = `sin(2 * pi() * w * ${durationMinutes} / 1440.0)`
  const columns: Readonly<Record<string, string>> = {
    reading_count: String(durationMinutes),
    pressure_mean: `200 + 50 * (d % 2) + 3 * ${rhythm} + 2 * ${noise(1)}`,
    pressure_std: `1.5 + 0.3 * ${noise(2)}`,
    current_mean: `8 + (d % 2) + 0.5 * ${rhythm} + 0.3 * ${noise(3)}`,
    current_std: `0.4 + 0.1 * ${noise(4)}`,
    temperature_mean: `-20 + 0.2 * d + ${rhythm} + 0.8 * ${noise(5)}`,
    temperature_std: `0.7 + 0.2 * ${noise(6)}`,
    sensor_completeness: '1.0',
    quality_flag_count: '0',
    late_created: 'false',
    post_maintenance: 'false',
    ...overrides,
  }
  const stepMs = durationMinutes * 60_000
  const instant = (ms: string) => `make_timestamptz(((${ms})::BIGINT) * 1000)`
  const query = `SELECT 'pump-' || lpad(d::VARCHAR, 3, '0') AS device_id,
      ${instant(`${startMs} + w * ${stepMs}`)} AS window_start,
      ${instant(`${startMs} + (w + 1) * ${stepMs}`)} AS window_end,
      ${durationMinutes}::INTEGER AS window_duration_minutes,
      ${Object.entries(columns)
        .map(([name, sql]) => `(${sql})${typeOf(name)} AS ${name}`)
        .join(', ')},
      NULL::TIMESTAMPTZ AS computed_at, '1' AS feature_version, 'v1' AS clean_snapshot_id,
      'normal' AS operating_mode, true AS is_final, NULL::VARCHAR[] AS outlier_features,
      strftime(${instant(`${startMs} + w * ${stepMs}`)}, '%Y-%m-%d') AS window_date
    FROM range(${deviceCount}) AS devices(d), range(${windows}) AS windows(w)
    ${history.order ?? ''}`
  await lake.withConnection((connection) =>
    lake.table('device_features').write({
      connection,
      query,
      operation: 'FEATURES',
      nowMs,
      positions: [
        {
          appId: `features/complete/${durationMinutes}`,
          version: startMs / 1000 + hours * 3600,
        },
      ],
    }),
  )
}

function typeOf(name: string): string {
  if (name.endsWith('_count')) return '::INTEGER'
  return name.startsWith('late') || name.startsWith('post') ? '::BOOLEAN' : '::DOUBLE'
}

/** A lake of the test fleet in a folder of its own. */
export async function withPumpLake<T>(
  work: (lake: Lake, directory: string) => Promise<T>,
  fleet: FleetDefinition = pumps,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'isotherm-models-'))
  const lake = await openLake({ directory: join(directory, 'lake'), fleet, threadCount: 2 })
  try {
    return await work(lake, directory)
  } finally {
    await lake.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Feature rows in memory: `deviceCount` pumps in two cohorts, repeatable noise, no nulls. */
export function syntheticRows(rowCount: number, deviceCount: number, seed = 1): FeatureRows {
  const columnNames = featureColumns(pumps).map(({ name }) => name)
  const width = columnNames.length
  const random = createRandom(seed)
  const perDevice = Math.ceil(rowCount / deviceCount)
  const device = (row: number) => Math.floor(row / perDevice)
  const values = new Float64Array(rowCount * width)
  for (let row = 0; row < rowCount; row++) {
    for (let c = 0; c < width; c++) {
      values[row * width + c] = 10 * c + 5 * (device(row) % 2) + nextNormal(random)
    }
  }
  return {
    durationMinutes: 60,
    matrix: { values, rowCount, columnNames },
    deviceIds: Array.from(
      { length: rowCount },
      (_, row) => `pump-${String(device(row)).padStart(3, '0')}`,
    ),
    cohortIds: Array.from({ length: rowCount }, (_, row) => `cohort-${device(row) % 2}`),
    operatingModes: Array.from({ length: rowCount }, () => 'normal'),
    windowStartMs: Float64Array.from(
      { length: rowCount },
      (_, row) => fixtureStartMs + (row % perDevice) * 3_600_000,
    ),
    sensorCompleteness: new Float64Array(rowCount).fill(1),
    isLateCreated: new Uint8Array(rowCount),
    carried: { rows: new Uint32Array(0), columnNames: [], values: new Float64Array(0) },
  }
}
