import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeviceRow, exampleFleet } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import { openModelRegistry } from '../models/index.ts'
import { type AlertRow, freshTracking, openState } from '../objects/index.ts'
import { createHttpServer, type HttpServerOptions } from './http-server.ts'

/** A moment all tests start from: 2026-02-15T10:00:00Z. */
export const startMs = Date.UTC(2026, 1, 15, 10)

export const minuteMs = 60_000

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
    cohort_id: 'CF-200/cold',
    install_date: null,
    firmware_version: '3.1.0',
    expected_sensors: null,
    reporting_interval_s: 60,
    timezone: 'UTC',
    timestamp_mode: 'utc',
    pressure_reference: 'absolute',
    valid_from: startMs - 86_400_000,
    valid_to: null,
    site_name: 'First site',
    ...changes,
  }
}

export function alertRow(alertId: string, changes: Partial<AlertRow> = {}): AlertRow {
  return {
    alert_id: alertId,
    device_id: 'UNIT-1',
    site_id: 'SITE-1',
    alert_type: 'ANOMALY_DETECTED',
    severity: 'HIGH',
    title: 'Temperature is unusually high',
    description: 'Unusual behaviour.',
    model_id: 'statistical_baseline',
    anomaly_score: 0.9,
    top_contributors: ['temp_mean'],
    first_detected_at: startMs - 60 * minuteMs,
    alert_created_at: startMs,
    suppressed: false,
    ontology_action_id: null,
    status: 'OPEN',
    resolved_at: null,
    escalation_level: 'L1',
    sla_deadline: startMs + 120 * minuteMs,
    sla_breached: false,
    trigger_category: 'anomaly_score_high',
    model_version: '1.0.0',
    contributing_model_ids: ['statistical_baseline'],
    score_id: null,
    last_breach_at: startMs,
    breach_count: 1,
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
    ...changes,
  }
}

/** Writes rows given as a query with some of the contract's columns; the others are null. */
export async function writeTable(lake: Lake, name: string, query: string): Promise<void> {
  const table = lake.table(name)
  await lake.withConnection(async (connection) => {
    const described = await connection.runAndReadAll(`DESCRIBE ${query}`)
    const present = new Set(described.getRowObjectsJS().map((row) => String(row.column_name)))
    const columns = table.contract.columns.map((column) =>
      present.has(column.name) ? `"${column.name}"` : `NULL AS "${column.name}"`,
    )
    await table.write({
      connection,
      query: `SELECT ${columns.join(', ')} FROM (${query})`,
      operation: 'TEST',
      nowMs: startMs,
    })
  })
}

/** A server over a real lake, state store and registry in a folder of its own. */
export async function temporaryServer(changes: Partial<HttpServerOptions> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-http-'))
  const time = { nowMs: startMs }
  const clock = () => time.nowMs
  const lake = await openLake({ directory: join(directory, 'tables'), fleet: exampleFleet })
  const state = await openState({
    path: join(directory, 'state.db'),
    secretKey: new Uint8Array(32).fill(7),
    clock,
  })
  const registry = await openModelRegistry({ directory: join(directory, 'models') })
  const failures: unknown[] = []
  const server = await createHttpServer({
    fleet: exampleFleet,
    lake,
    state,
    registry,
    clock,
    authentication: { kind: 'open' },
    onFailure: ({ error }) => failures.push(error),
    ...changes,
  })
  return {
    directory,
    time,
    lake,
    state,
    server,
    /** Unexpected errors; a test that does not look for one expects none. */
    failures,
    get: async (url: string, headers: Readonly<Record<string, string>> = {}) => {
      const response = await server.app.inject({ method: 'GET', url, headers })
      return { status: response.statusCode, body: response.json(), headers: response.headers }
    },
    post: async (
      url: string,
      body: unknown,
      headers: Readonly<Record<string, string>> = { 'idempotency-key': crypto.randomUUID() },
    ) => {
      const response = await server.app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...headers },
        payload: JSON.stringify(body),
      })
      return { status: response.statusCode, body: response.json(), headers: response.headers }
    },
    addAlerts: (...rows: readonly AlertRow[]) =>
      state.alerts.apply(
        rows.map((row) => ({ kind: 'create', record: { row, tracking: freshTracking } })),
      ),
    remove: async () => {
      await server.close()
      await state.close()
      await lake.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A temporary server with everything around it. */
export type TemporaryServer = Awaited<ReturnType<typeof temporaryServer>>
