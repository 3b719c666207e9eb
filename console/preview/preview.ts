import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import type { DeviceRow, Severity } from 'isotherm/contracts'
import { createHttpServer } from 'isotherm/http'
import { type Lake, openLake } from 'isotherm/lake'
import { openModelRegistry } from 'isotherm/models'
import { type AlertRow, freshTracking, openState, type State, slaPeriodMs } from 'isotherm/objects'
import { writeBaselines, writeFeatures, writeReadings, writeScores } from './preview-tables.ts'

/**
 * Serves the built console over a temporary folder with plausible rows, for working on pages
 * without the pipeline: `node console/preview/preview.ts [PORT] [DEVICES]`. Readings come from the
 * fleet's simulator; scores and alerts are stand-ins.
 */
const port = Number(process.argv[2] ?? 8099)
const deviceCount = Number(process.argv[3] ?? 140)
const simulatedCount = 12
const historyHours = 26
const nowMs = Date.now()
const minuteMs = 60_000
const hourMs = 60 * minuteMs

const faults = [
  ['condenser_fouling', 22, 'HIGH'],
  ['refrigerant_leak', 16, 'CRITICAL'],
  ['bearing_wear', 18, 'MEDIUM'],
  ['valve_hunting', 20, 'LOW'],
] as const satisfies readonly (readonly [string, number, Severity])[]

const directory = mkdtempSync(join(tmpdir(), 'isotherm-preview-'))
const lake = await openLake({ directory: join(directory, 'tables'), fleet: refrigeration })
const state = await openState({
  path: join(directory, 'state.db'),
  secretKey: new Uint8Array(32).fill(1),
  clock: Date.now,
})
const registry = await openModelRegistry({ directory: join(directory, 'models') })
const simulator = refrigeration.simulator
if (simulator === undefined) throw new Error('the fleet has no simulator')
const devices = simulator.devices({ count: deviceCount, seed: 7 })
await state.registry.upsert(devices)

function readingsOf(device: DeviceRow, index: number): readonly Record<string, unknown>[] {
  const startMs = Math.floor((nowMs - historyHours * hourMs) / minuteMs) * minuteMs
  const fault = faults[index]
  const unit = simulator?.device({
    device,
    seed: 11,
    startMs,
    faults:
      fault === undefined
        ? []
        : [{ deviceId: device.device_id, mode: fault[0], onsetMs: nowMs - fault[1] * hourMs }],
  })
  const rows: Record<string, unknown>[] = []
  for (let timeMs = startMs; timeMs < nowMs; timeMs += minuteMs) {
    const message = unit?.step(timeMs)
    if (message === undefined) continue
    const body = JSON.parse(message.payload) as Record<string, unknown>
    const nested = (body.sensors ?? body.readings ?? body) as Record<string, unknown>
    rows.push({ ...nested, device_id: device.device_id, timestamp_utc: timeMs })
  }
  return rows
}

async function alertsOf(lake: Lake, state: State): Promise<void> {
  const columns =
    'score_id, device_id, anomaly_score, to_json(top_contributors)::VARCHAR, epoch_ms(window_end)'
  for (const [index, [mode, hours, severity]] of faults.entries()) {
    const device = devices[index]
    if (device === undefined) continue
    const { rows } = await lake.query(
      `SELECT ${columns} FROM model_scores WHERE device_id = '${device.device_id}'
         AND model_id = 'isolation_forest' AND window_duration_minutes = 60
       ORDER BY window_end DESC LIMIT 1`,
    )
    const [row] = rows
    if (row === undefined) continue
    const createdMs = nowMs - [12, 26, 200, 400][index]! * minuteMs
    await create(state, device, {
      severity,
      createdMs,
      firstMs: nowMs - (hours - 2) * hourMs,
      score: Number(row[2]),
      scoreId: String(row[0]),
      contributors: JSON.parse(String(row[3])) as string[],
      title: simulator?.modes.find(({ name }) => name === mode)?.title ?? mode,
      isSuppressed: false,
    })
  }
}

type Draft = {
  readonly severity: Severity
  readonly createdMs: number
  readonly firstMs: number
  readonly score: number | null
  readonly scoreId: string | null
  readonly contributors: readonly string[]
  readonly title: string
  readonly isSuppressed: boolean
}

async function create(state: State, device: DeviceRow, draft: Draft): Promise<string> {
  const isRule = draft.score === null
  const row: AlertRow = {
    alert_id: crypto.randomUUID(),
    device_id: device.device_id,
    site_id: device.site_id,
    alert_type: 'ANOMALY_DETECTED',
    severity: draft.severity,
    title: draft.title,
    description: `This cabinet behaves unusually. ${draft.title}. Acknowledge in time.`,
    model_id: isRule ? 'streaming_rules' : 'isolation_forest',
    anomaly_score: draft.score,
    top_contributors: [...draft.contributors],
    first_detected_at: draft.firstMs,
    alert_created_at: draft.createdMs,
    suppressed: draft.isSuppressed,
    ontology_action_id: null,
    status: 'OPEN',
    resolved_at: null,
    escalation_level: 'L1',
    sla_deadline: draft.createdMs + slaPeriodMs(draft.severity),
    sla_breached: draft.createdMs + slaPeriodMs(draft.severity) < nowMs,
    trigger_category: isRule ? 'sensor_out_of_range' : 'anomaly_score_high',
    model_version: '1.0.0',
    contributing_model_ids: isRule
      ? ['streaming_rules']
      : ['isolation_forest', 'statistical_baseline'],
    score_id: draft.scoreId,
    last_breach_at: draft.createdMs,
    breach_count: 3,
    predecessor_alert_id: null,
    correlated_alert_ids: [],
    model_rolled_back: false,
    acknowledged_at: null,
    acknowledged_by: null,
    assignee_id: null,
    assignee_team: null,
    resolved_by: null,
    resolution_code: null,
    resolution_notes: null,
    escalated_at: null,
    escalated_to: null,
    work_order_id: null,
    version: 1,
  }
  await state.alerts.apply([{ kind: 'create', record: { row, tracking: freshTracking } }])
  return row.alert_id
}

const simulated = devices.slice(0, simulatedCount)
await writeReadings(lake, simulated.flatMap(readingsOf), nowMs)
await writeFeatures(lake, nowMs)
await writeBaselines(
  lake,
  simulated.slice(faults.length).map(({ device_id: id }) => id),
  nowMs,
)
await writeScores(lake, nowMs)
await alertsOf(lake, state)

// A group of three at one site, a live rule and a suppressed repeat.
const site = devices[6]?.site_id
const together = devices.filter((device) => device.site_id === site).slice(0, 3)
const ids: string[] = []
for (const device of together) {
  ids.push(
    await create(state, device, {
      severity: 'MEDIUM',
      createdMs: nowMs - 40 * minuteMs,
      firstMs: nowMs - 60 * minuteMs,
      score: 0.76,
      scoreId: null,
      contributors: ['temp_ambient_mean'],
      title: 'Mean ambient temperature is unusually high: 31 °C, normally 22 ± 2 °C',
      isSuppressed: false,
    }),
  )
}
await state.alerts.apply(ids.map((alertId) => ({ kind: 'correlate', alertId, alertIds: ids })))
const rule = devices[5]
if (rule !== undefined) {
  for (const isSuppressed of [false, true]) {
    await create(state, rule, {
      severity: 'CRITICAL',
      createdMs: nowMs - 4 * minuteMs,
      firstMs: nowMs - 5 * minuteMs,
      score: null,
      scoreId: null,
      contributors: ['current_compressor'],
      title: 'Compressor current 43.2 A is above its limit of 40 A',
      isSuppressed,
    })
  }
}
const silent = new Set(devices.filter((_, index) => index % 23 === 11).map((d) => d.device_id))
const hear = () =>
  state.live.setLastReadings(
    new Map(
      devices
        .filter((device) => !silent.has(device.device_id))
        .map((device, index) => [device.device_id, Date.now() - (index % 50) * 1000]),
    ),
  )
hear()
setInterval(hear, 30_000)
await state.live.hydrate({
  hydratedAtMs: nowMs,
  primaryModelId: 'isolation_forest',
  updates: devices.map((device, index) => ({
    deviceId: device.device_id,
    scores: [
      {
        modelId: 'isolation_forest',
        modelVersion: '1.0.0',
        score: index < faults.length ? 0.95 - index * 0.09 : ((index * 37) % 59) / 100,
        confidence: 'normal',
        windowEndMs: nowMs - 10 * minuteMs,
        scoredAtMs: nowMs - 8 * minuteMs,
      },
    ],
  })),
})
const server = await createHttpServer({
  fleet: refrigeration,
  lake,
  state,
  registry,
  clock: Date.now,
  authentication: { kind: 'open' },
  consoleDirectory: join(import.meta.dirname, '../dist'),
  onFailure: ({ error }) => process.stderr.write(`${String(error)}\n`),
})
const address = await server.listen({ host: '127.0.0.1', port })
process.stdout.write(`${address} with ${directory}\n`)
