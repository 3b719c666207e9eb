import { z } from 'zod'
import type { GateEntry, PartFigures, QualityReport, SensorList } from '../../quality/index.ts'

const instant = (ms: number) => new Date(ms).toISOString()

/** An entry of a quality gate. */
export const gateEntrySchema = z.object({
  entry_id: z.string(),
  gate_id: z.string(),
  table: z.string(),
  severity: z.enum(['FAIL', 'ROW', 'WARN']),
  site_id: z.string().nullable(),
  firmware_version: z.string().nullable(),
  status: z.enum(['open', 'cleared']),
  holds: z.enum(['nothing', 'scoring', 'rows']),
  opened_at: z.iso.datetime(),
  last_failed_at: z.iso.datetime(),
  failure_count: z.number().int(),
  value: z.number(),
  limit: z.number(),
  row_count: z.number(),
  detail: z.string().nullable(),
  decision: z.string().nullable(),
  cleared_at: z.iso.datetime().nullable(),
  cleared_by: z.string().nullable(),
  note: z.string().nullable(),
})

const partSchema = z.object({
  site_id: z.string().nullable(),
  site_name: z.string().nullable(),
  firmware_version: z.string().nullable(),
  device_count: z.number().int(),
  reading_count: z.number(),
  flags: z.record(z.string(), z.number()),
  null_rates: z.record(z.string(), z.number()),
  quarantined_count: z.number(),
  waiting_count: z.number(),
  dead_letter_count: z.number(),
  weak_sensor_count: z.number(),
  dead_sensor_count: z.number(),
  open_gate_ids: z.array(z.string()),
  state: z.enum(['held', 'warned', 'good']),
})

/** Quality of the data of a fleet. */
export const qualitySchema = z.object({
  generated_at: z.iso.datetime(),
  from: z.iso.datetime(),
  days: z.number(),
  fleet: z.string(),
  total: partSchema,
  sites: z.array(partSchema),
  firmware: z.array(partSchema),
  slices: z.array(partSchema),
  sensors: z.array(
    z.object({
      sensor: z.string(),
      label: z.string(),
      null_rate: z.number(),
      weak_count: z.number(),
      dead_count: z.number(),
    }),
  ),
  gates: z.array(gateEntrySchema),
  expectations: z.array(
    z.object({
      id: z.string(),
      contract: z.string(),
      table: z.string(),
      check: z.string(),
      severity: z.enum(['FAIL', 'ROW', 'WARN']),
      limit: z.number(),
      hold_limit: z.number().nullable(),
      judged_by: z.string(),
      open_count: z.number().int(),
    }),
  ),
})

/** An entry of a quality gate as the API gives it. */
export type GateEntryView = z.output<typeof gateEntrySchema>
/** Quality of the data of a fleet as the API gives it. */
export type QualityView = z.output<typeof qualitySchema>
/** A site, a firmware, or both, as the API gives it. */
export type QualityPart = z.output<typeof partSchema>

/** Sensors found weak or dead. */
export const sensorListSchema = z.object({
  graded_at: z.iso.datetime().nullable(),
  sensors: z.array(
    z.object({
      device_id: z.string(),
      sensor: z.string(),
      grade: z.enum(['weak', 'dead']),
      reason: z.string(),
      detail: z.string(),
      share: z.number(),
      row_count: z.number(),
    }),
  ),
})

/** Sensors found weak or dead, as the API gives them. */
export type SensorListView = z.output<typeof sensorListSchema>

/** Sensors in the spelling of the API. */
export function sensorListView({ gradedAtMs, sensors }: SensorList): SensorListView {
  return {
    graded_at: gradedAtMs === undefined ? null : instant(gradedAtMs),
    sensors: sensors.map(({ deviceId, rowCount, ...one }) => ({
      device_id: deviceId,
      ...one,
      row_count: rowCount,
    })),
  }
}

/** An entry in the spelling of the API. */
export function gateEntryView(entry: GateEntry): GateEntryView {
  const { gateId, table, severity, scope, status, holds, value, limit } = entry
  return {
    ...{ table, severity, status, holds, value, limit },
    entry_id: entry.entryId,
    gate_id: gateId,
    site_id: scope.siteId ?? null,
    firmware_version: scope.firmware ?? null,
    opened_at: instant(entry.openedAtMs),
    last_failed_at: instant(entry.lastFailedAtMs),
    failure_count: entry.failureCount,
    row_count: entry.rowCount,
    detail: entry.detail ?? null,
    decision: entry.decision?.kind ?? null,
    cleared_at: entry.clearedAtMs === undefined ? null : instant(entry.clearedAtMs),
    cleared_by: entry.clearedBy ?? null,
    note: entry.note ?? null,
  }
}

function partView(part: PartFigures): QualityPart {
  return {
    site_id: part.siteId ?? null,
    site_name: part.siteName ?? null,
    firmware_version: part.firmware ?? null,
    device_count: part.deviceCount,
    reading_count: part.readingCount,
    flags: { ...part.flags },
    null_rates: { ...part.nullRates },
    quarantined_count: part.quarantinedCount,
    waiting_count: part.waitingCount,
    dead_letter_count: part.deadLetterCount,
    weak_sensor_count: part.weakSensorCount,
    dead_sensor_count: part.deadSensorCount,
    open_gate_ids: [...part.openGateIds],
    state: part.state,
  }
}

/** A report in the spelling of the API. */
export function qualityView(report: QualityReport): QualityView {
  const { days, fleet, total, sites, firmware, slices, sensors, entries, expectations } = report
  return {
    ...{ days, fleet },
    generated_at: instant(report.generatedAtMs),
    from: instant(report.fromMs),
    total: partView(total),
    sites: sites.map(partView),
    firmware: firmware.map(partView),
    slices: slices.map(partView),
    sensors: sensors.map(({ name, label, nullRate, weakCount, deadCount }) => ({
      ...{ sensor: name, label, null_rate: nullRate },
      weak_count: weakCount,
      dead_count: deadCount,
    })),
    gates: entries.map(gateEntryView),
    expectations: expectations.map(({ holdLimit, judgedBy, openCount, severity, ...one }) => ({
      ...one,
      severity: gateEntrySchema.shape.severity.parse(severity),
      hold_limit: holdLimit,
      judged_by: judgedBy,
      open_count: openCount,
    })),
  }
}
