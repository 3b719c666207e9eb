import type { FleetDefinition, Sensor } from '../../contracts/index.ts'
import { valueGrid } from '../value-grid.ts'
import { lateCreationMs, type WindowRule } from '../window-rules.ts'
import type { Dialect } from './dialect.ts'
import { type Moment, momentsOf } from './term.ts'
import { windowFeatures } from './window-terms.ts'

/** Which clean rows to sum up, and into which windows. */
export type SumSelection = {
  readonly relation: string
  readonly rule: WindowRule
  /** Event times, half-open, epoch ms; window-aligned. */
  readonly startMs: number
  readonly endMs: number
  /** Further SQL condition on device_id, for work in parts. */
  readonly devices?: string
  /** Table (device_id, start_ms) of the only windows wanted. */
  readonly keys?: string
}

/** Moments that the stored features of a fleet need, each once, by sensor. */
export function neededMoments(fleet: FleetDefinition): readonly (readonly Moment[])[] {
  const needed = fleet.sensors.map(() => new Set<Moment>())
  for (const { term } of windowFeatures(fleet)) {
    for (const { sensor, moment } of momentsOf(term)) needed[sensor]?.add(moment)
  }
  return needed.map((moments) => [...moments])
}

function momentSql(
  dialect: Dialect,
  fleet: FleetDefinition,
  index: number,
  sensor: Sensor,
  moment: Moment,
): string {
  const step = `step_${index}`
  const isWide = sensor.kind !== 'boolean' && valueGrid(fleet, sensor).isWide
  const time = `CASE WHEN ${step} IS NOT NULL THEN time_ms END`
  switch (moment) {
    case 'n':
      return `count(${step})`
    case 'true':
      return dialect.countIf(sensor.kind === 'boolean' ? step : `${step} <> 0`)
    case 'sum':
      return dialect.sum(step)
    case 'min':
    case 'max':
      return `${moment}(${step})`
    case 'squares':
      return dialect.sum(dialect.product(step, step, isWide))
    case 'p95':
      return dialect.quantile(step, 0.95)
    case 'times':
      return dialect.sum(time)
    case 'time_squares':
      return dialect.sum(dialect.product(time, 'time_ms', false))
    case 'time_products':
      return dialect.sum(dialect.product(step, 'time_ms', isWide))
  }
}

function stepColumn(
  dialect: Dialect,
  fleet: FleetDefinition,
  sensor: Sensor,
  index: number,
): string {
  const name = dialect.quote(sensor.name)
  if (sensor.kind === 'boolean') return `${name} AS step_${index}`
  return `${dialect.gridSteps(name, valueGrid(fleet, sensor))} AS step_${index}`
}

/**
 * SELECT of exact sums per device, window and punctuality, in one pass over clean rows. On time is
 * what arrived until the window's grace was over; a row is built from those alone if there are any,
 * so it does not depend on when jobs ran (FEA-15). What came later, at most a day, builds a row only
 * for a window that has nothing else (FEA-11).
 */
export function windowSumsQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  selection: SumSelection,
): string {
  const { relation, rule, startMs, endMs, devices, keys } = selection
  const moments = neededMoments(fleet)
  const steps = fleet.sensors.flatMap((sensor, index) =>
    moments[index]?.length === 0 ? [] : [stepColumn(dialect, fleet, sensor, index)],
  )
  const sums = fleet.sensors.flatMap((sensor, index) =>
    (moments[index] ?? []).map(
      (moment) => `${momentSql(dialect, fleet, index, sensor, moment)} AS ${moment}_${index}`,
    ),
  )
  const wanted =
    keys === undefined ? '' : `LEFT SEMI JOIN ${keys} AS wanted USING (device_id, start_ms)`
  const eventMs = dialect.epochMs('timestamp_utc')
  return `SELECT device_id, start_ms, on_time, count(*) AS reading_count,
      sum(sensor_null_count) AS null_count,
      ${dialect.countIf('is_flagged')} AS quality_flag_count,
      ${sums.join(',\n      ')}
    FROM (
      SELECT *, arrived_ms <= start_ms + ${rule.lengthMs + rule.graceMs} AS on_time,
        event_ms - start_ms AS time_ms
      FROM (
        SELECT device_id, ${eventMs} AS event_ms,
          ${dialect.quotient(eventMs, rule.lengthMs)} * ${rule.lengthMs} AS start_ms,
          ${dialect.epochMs('timestamp_ingested')} AS arrived_ms,
          ${[`sensor_null_count, ${dialect.listLength('quality_flags')} > 0 AS is_flagged`, ...steps].join(', ')}
        FROM ${relation}
        WHERE timestamp_utc >= ${dialect.instant(String(startMs))}
          AND timestamp_utc < ${dialect.instant(String(endMs))}
          ${devices === undefined ? '' : `AND ${devices}`}) AS readings
      ${dialect.name === 'spark' ? wanted : wanted.replace('LEFT ', '')}
      WHERE arrived_ms <= start_ms + ${rule.lengthMs + Math.max(lateCreationMs, rule.graceMs)}) AS placed
    GROUP BY device_id, start_ms, on_time`
}
