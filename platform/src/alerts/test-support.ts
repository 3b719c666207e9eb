import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type DeviceRow,
  defineFleet,
  exampleFleet,
  type NewRecord,
  type RulePhase,
  type StreamRule,
} from '../contracts/index.ts'
import { type AlertRecord, openState, type State, uuidV5 } from '../objects/index.ts'
import type { ScoredWindow, ScoringRun } from './scored-window.ts'

/** A moment all tests start from: 2026-02-15T10:00:00Z. */
export const startMs = Date.UTC(2026, 1, 15, 10)
export const minuteMs = 60_000
export const hourMs = 3_600_000

type OverheatState = { readonly phase: RulePhase; readonly calm: number }

/** Fires above a limit, rests after three readings below 95 % of it. */
export const overheat: StreamRule<OverheatState> = {
  id: 'OVERHEAT',
  sensor: 'temperature',
  group: 'temperature',
  version: '1.0.0',
  thresholds: { limit: 40 },
  empty: () => ({ phase: 'idle', calm: 0 }),
  step(state, { values, mayFire }, thresholds) {
    const { temperature } = values
    if (typeof temperature !== 'number') return { state, phase: state.phase, fired: false }
    const limit = thresholds.limit ?? 40
    if (state.phase === 'firing') {
      const calm = temperature <= 0.95 * limit ? state.calm + 1 : 0
      const phase: RulePhase = calm >= 3 ? 'idle' : 'firing'
      return { state: { phase, calm }, phase, fired: false }
    }
    const fired = mayFire && temperature > limit
    const phase: RulePhase = fired ? 'firing' : 'idle'
    const step = { state: { phase, calm: 0 }, phase, fired }
    return fired
      ? {
          ...step,
          reason: `Temperature is ${temperature.toFixed(1)} °C, above the limit of ${limit} °C`,
        }
      : step
  },
}

type DropState = { readonly last: number; readonly low: number }

/** Fires on the second reading in a row below 70 % of the one before the drop. */
const pressureDrop: StreamRule<DropState> = {
  id: 'PRESSURE_DROP',
  sensor: 'pressure',
  group: 'pressure',
  version: '1.0.0',
  thresholds: {},
  empty: () => ({ last: 0, low: 0 }),
  step(state, { values, mayFire }) {
    const { pressure } = values
    if (typeof pressure !== 'number') return { state, phase: 'idle', fired: false }
    if (pressure >= 0.7 * state.last) {
      return { state: { last: pressure, low: 0 }, phase: 'idle', fired: false }
    }
    const low = mayFire ? state.low + 1 : 0
    const fired = low === 2
    const step = { state: { ...state, low }, phase: 'pending' as const, fired }
    return fired ? { ...step, reason: `Pressure fell to ${pressure} kPa` } : step
  },
}

const [baseline] = exampleFleet.models

/** The example fleet with two models, two stream rules, fallback limits and hints. */
export const testFleet = defineFleet({
  ...exampleFleet,
  models: [
    {
      kind: 'isolation_forest',
      modelId: 'isolation_forest',
      features: 'all',
      windowMinutes: [60, 15],
      contamination: 0.05,
      seed: 42,
      treeCount: 10,
      sampleSize: 64,
      cleaningFraction: 0,
    },
    ...(baseline === undefined ? [] : [baseline]),
  ],
  streamRules: [overheat, pressureDrop],
  fallbackRules: [
    { feature: 'temp_mean', above: 0, unlessPositive: 'door_open_fraction' },
    { feature: 'pressure_p95', below: 100 },
  ],
  hints: [{ feature: 'temp_mean', direction: 'high', text: 'Check the fan first.' }],
})

export function deviceRow(deviceId: string, changes: Partial<DeviceRow> = {}): DeviceRow {
  return {
    device_id: deviceId,
    status: 'active',
    site_id: 'SITE-1',
    region: 'north',
    model: 'CF-200',
    equipment_class: 'example',
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
    valid_from: startMs - 86_400_000,
    valid_to: null,
    site_name: null,
    ...changes,
  }
}

/** A flagged 60-minute window of the forest that ends at `startMs`. */
export function scoredWindow(deviceId: string, changes: Partial<ScoredWindow> = {}): ScoredWindow {
  const windowEndMs = changes.windowEndMs ?? startMs
  const durationMinutes = changes.durationMinutes ?? 60
  const modelId = changes.modelId ?? 'isolation_forest'
  const windowStartMs = windowEndMs - durationMinutes * minuteMs
  return {
    scoreId: uuidV5(deviceId, modelId, String(windowStartMs), String(durationMinutes)),
    deviceId,
    windowStartMs,
    windowEndMs,
    durationMinutes,
    modelId,
    modelVersion: '1.0.0',
    score: 0.8,
    confidence: 'normal',
    dataQuality: false,
    eligible: true,
    contributors: [
      {
        feature: 'temp_mean',
        value: -14.2,
        referenceMedian: -24.8,
        referenceScale: 0.6,
        direction: 'high',
        contribution: 0.7,
      },
    ],
    ...changes,
  }
}

/** A run over windows that end at `startMs + hours`; devices not flagged score 0.3. */
export function scoringRun(
  flagged: readonly ScoredWindow[],
  options: Partial<ScoringRun> & { readonly nowMs?: number } = {},
): ScoringRun {
  const windowEndMs = flagged[0]?.windowEndMs ?? (options.nowMs ?? startMs) - 5 * minuteMs
  const byDevice = Map.groupBy(flagged, ({ deviceId }) => deviceId)
  const quiet = {
    modelId: 'isolation_forest',
    score: 0.3,
    scoreId: null,
    windowStartMs: windowEndMs - hourMs,
    windowEndMs,
  }
  return {
    runId: 'run-1',
    nowMs: windowEndMs + 5 * minuteMs,
    flagged,
    evidence: (deviceId) => ({ completeness: 0.95, windows: byDevice.get(deviceId) ?? [quiet] }),
    previousScore: () => undefined,
    modelIds: ['isolation_forest', 'statistical_baseline'],
    ...options,
  }
}

/** A log record of a device with a wide message of the given readings. */
export function logRecord(
  deviceId: string,
  timeMs: number,
  readings: Readonly<Record<string, unknown>>,
  changes: Partial<NewRecord> = {},
): NewRecord {
  const timestamp = new Date(timeMs).toISOString()
  const payload = Buffer.from(JSON.stringify({ device_id: deviceId, timestamp, readings }))
  return {
    deviceId,
    eventId: uuidV5(deviceId, timestamp, 'm'),
    ingestedAtMs: timeMs + 500,
    protocol: 'mqtt5',
    body: { kind: 'readable', format: 'wide', deviceTimeMs: timeMs, payload },
    ...changes,
  }
}

/** A folder with a state store whose clock the test moves. */
export async function temporaryState(devices: readonly DeviceRow[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-alerts-'))
  const time = { nowMs: startMs }
  const options = {
    path: join(directory, 'state.db'),
    secretKey: new Uint8Array(32).fill(7),
    clock: () => time.nowMs,
  }
  let state: State = await openState(options)
  await state.registry.upsert(devices)
  return {
    directory,
    time,
    get state() {
      return state
    },
    reopen: async () => {
      await state.close()
      state = await openState(options)
      return state
    },
    remove: async () => {
      await state.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** All alert rows, suppressed ones included, oldest first. */
export async function allAlerts(state: State): Promise<readonly AlertRecord['row'][]> {
  const rows = []
  let after = 0
  for (;;) {
    const page = await state.alerts.changesSince(after)
    rows.push(...page.alerts)
    after = page.sequence
    if (!page.more) break
  }
  return rows.toSorted(
    (left, right) =>
      left.alert_created_at - right.alert_created_at || (left.alert_id < right.alert_id ? -1 : 1),
  )
}
