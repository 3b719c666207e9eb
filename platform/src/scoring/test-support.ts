import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineFleet } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import {
  type FleetDevice,
  type ModelRegistry,
  openModelRegistry,
  trainModels,
} from '../models/index.ts'

/** End of the training history and start of what the tests score; 00:00 UTC. */
export const scoringStartMs = Date.UTC(2026, 2, 16)
export const hourMs = 3_600_000

const historyDays = 12

/** Fans with two sensors and short windows of 60 and 15 minutes. */
const fans = defineFleet({
  name: 'fans',
  title: 'Fans',
  deviceNoun: 'fan',
  equipmentClasses: ['fan'],
  sensors: [
    sensor('airflow', 'm³/h', 'air'),
    sensor('current', 'A', 'motor'),
    sensor('vibration', 'mm/s', 'motor'),
  ],
  rangeProfiles: {},
  absolutePressureSensors: [],
  derivedFeatures: [],
  windowMinutes: [60, 15],
  operatingModes: [],
  firmwareMatrix: [],
  models: [
    {
      kind: 'isolation_forest',
      modelId: 'isolation_forest',
      features: 'all',
      windowMinutes: [60, 15],
      contamination: 0.03,
      seed: 42,
      treeCount: 40,
      sampleSize: 128,
      cleaningFraction: 0.02,
    },
    {
      kind: 'robust_baseline',
      modelId: 'statistical_baseline',
      features: ['airflow_mean', 'current_mean', 'current_std'],
      windowMinutes: [60],
      contamination: 0.03,
      seed: 42,
      minDeviceDays: 7,
      minDeviceRows: 30,
      minCohortDevices: 3,
    },
  ],
  streamRules: [],
  fallbackRules: [],
  yardstickRules: [],
  hints: [],
  bands: [],
  importDefaults: {},
})

function sensor(name: string, unit: string, group: string) {
  return {
    name,
    short: name,
    label: name,
    kind: 'gauge',
    unit,
    group,
    resolution: 0.1,
    aggregates: ['mean', 'std'],
    meaning: name,
  } as const
}

export const fanDevices: readonly FleetDevice[] = Array.from({ length: 12 }, (_, index) => ({
  device_id: `fan-${String(index).padStart(2, '0')}`,
  cohort_id: index < 6 ? 'old' : 'new',
  model: 'F1',
  reporting_interval_s: 60,
  status: 'active',
}))

/** Windows to write: SQL expressions over `d` (device) and `t` (window start, epoch ms). */
export type FanWindows = {
  readonly fromMs: number
  readonly toMs: number
  readonly minutes: number
  readonly changes?: Readonly<Record<string, string>>
  readonly where?: string
  /** Last complete window end; default `toMs`. */
  readonly completeMs?: number
}

const wobble = (salt: number) => `((hash(d * 7 + t + ${salt}) % 2001) / 1000.0 - 1)`

/** Writes windows and the position up to which they are complete, as the feature job does. */
export async function writeFanWindows(lake: Lake, windows: FanWindows): Promise<void> {
  const { fromMs, toMs, minutes, changes = {}, where = 'true', completeMs = toMs } = windows
  const stepMs = minutes * 60_000
  const cells: Readonly<Record<string, string>> = {
    reading_count: `${minutes}::INTEGER`,
    airflow_mean: `(800 + 20 * d + 5 * ${wobble(1)})::DOUBLE`,
    airflow_std: `(6 + ${wobble(2)})::DOUBLE`,
    current_mean: `(2 + 0.01 * d + 0.1 * ${wobble(3)})::DOUBLE`,
    current_std: `(0.5 + 0.1 * ${wobble(4)})::DOUBLE`,
    vibration_mean: `(1.5 + 0.2 * ${wobble(5)})::DOUBLE`,
    vibration_std: `(0.3 + 0.1 * ${wobble(6)})::DOUBLE`,
    sensor_completeness: '1.0::DOUBLE',
    quality_flag_count: '0::INTEGER',
    late_created: 'false',
    ...changes,
  }
  const at = (ms: string) => `make_timestamptz((${ms})::BIGINT * 1000)`
  const names = Object.entries(cells).map(([name, sql]) => `${sql} AS ${name}`)
  const appId = `features/complete/${minutes}`
  await lake.withConnection((connection) =>
    lake.table('device_features').write({
      connection,
      query: `SELECT 'fan-' || lpad(d::VARCHAR, 2, '0') AS device_id, ${at('t')} AS window_start,
          ${at(`t + ${stepMs}`)} AS window_end, ${minutes}::INTEGER AS window_duration_minutes,
          ${names.join(', ')}, NULL::TIMESTAMPTZ AS computed_at, '1' AS feature_version,
          NULL::VARCHAR AS clean_snapshot_id, 'normal' AS operating_mode, true AS is_final,
          false AS post_maintenance, NULL::VARCHAR[] AS outlier_features,
          strftime(${at('t')}, '%Y-%m-%d') AS window_date
        FROM range(12) AS devices(d), range(${fromMs}, ${toMs}, ${stepMs}) AS starts(t)
        WHERE ${where}`,
      operation: 'FEATURES',
      nowMs: completeMs,
      positions: [{ appId, version: completeMs / 1000 }],
    }),
  )
}

/** A lake with trained and deployed models in a folder that tests copy. */
export async function trainedFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'isotherm-scoring-'))
  const lake = await openLake({ directory: join(folder, 'lake'), fleet: fans, threadCount: 2 })
  try {
    const fromMs = scoringStartMs - historyDays * 24 * hourMs
    for (const minutes of [60, 15]) {
      await writeFanWindows(lake, { fromMs, toMs: scoringStartMs, minutes })
    }
    const registry = await openModelRegistry({ directory: join(folder, 'models') })
    const { models } = await trainModels(
      { lake, nowMs: scoringStartMs },
      { registry, devices: fanDevices, untilMs: scoringStartMs },
    )
    for (const model of models) if (model.kind === 'failed') throw model.error
  } finally {
    await lake.close()
  }
  return folder
}

/** Runs work on a copy of the trained folder. */
export async function withTrained<T>(
  trained: string,
  work: (lake: Lake, registry: ModelRegistry) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'isotherm-scored-'))
  await cp(trained, folder, { recursive: true })
  const lake = await openLake({ directory: join(folder, 'lake'), fleet: fans, threadCount: 2 })
  try {
    return await work(lake, await openModelRegistry({ directory: join(folder, 'models') }))
  } finally {
    await lake.close()
    await rm(folder, { recursive: true, force: true })
  }
}
