import { sqlInstant } from '../clean/index.ts'
import { type FleetDefinition, quoteName, type Sensor } from '../contracts/index.ts'
import { gridStepsSql, valueGrid } from './value-grid.ts'
import { lateCreationMs, type WindowRule } from './window-rules.ts'

/** Which clean rows to sum up, and into which windows. */
export type SumSelection = {
  readonly relation: string
  readonly rule: WindowRule
  /** Event times, half-open, epoch ms; window-aligned. */
  readonly startMs: number
  readonly endMs: number
  /** Further SQL condition on device_id, for work in parts. */
  readonly devices?: string
  /** Temporary table (device_id, start_ms) of the only windows wanted. */
  readonly keys?: string
}

const hasAggregate = (sensor: Sensor, ...names: readonly string[]) =>
  sensor.aggregates.some((aggregate) => names.includes(aggregate))

/** Exact sums of one sensor, prefixed `{kind}_{index}`; only those its aggregates need. */
function sensorSums(fleet: FleetDefinition, sensor: Sensor, index: number): readonly string[] {
  const step = `step_${index}`
  if (sensor.kind === 'boolean') {
    return [`count(${step}) AS n_${index}`, `count_if(${step}) AS true_${index}`]
  }
  const { isWide } = valueGrid(fleet, sensor)
  const wide = `${step}::${isWide ? 'HUGEINT' : 'BIGINT'}`
  const sums = [`count(${step}) AS n_${index}`]
  if (hasAggregate(sensor, 'mean', 'std', 'slope')) sums.push(`sum(${step}) AS sum_${index}`)
  if (hasAggregate(sensor, 'std')) sums.push(`sum(${wide} * ${step}) AS squares_${index}`)
  if (hasAggregate(sensor, 'min')) sums.push(`min(${step}) AS min_${index}`)
  if (hasAggregate(sensor, 'max')) sums.push(`max(${step}) AS max_${index}`)
  if (hasAggregate(sensor, 'p95')) sums.push(`quantile_cont(${step}, 0.95) AS p95_${index}`)
  if (hasAggregate(sensor, 'fraction')) sums.push(`count_if(${step} <> 0) AS true_${index}`)
  if (hasAggregate(sensor, 'slope')) {
    const time = `CASE WHEN ${step} IS NOT NULL THEN time_ms END`
    sums.push(
      `sum(${time}) AS times_${index}`,
      `sum(${time} * time_ms) AS time_squares_${index}`,
      `sum(${wide} * time_ms) AS time_products_${index}`,
    )
  }
  return sums
}

function stepColumn(fleet: FleetDefinition, sensor: Sensor, index: number): string {
  const column = quoteName(sensor.name)
  if (sensor.kind === 'boolean') return `${column} AS step_${index}`
  return `${gridStepsSql(column, valueGrid(fleet, sensor))} AS step_${index}`
}

/**
 * SELECT of exact sums per device, window and punctuality, in one pass over clean rows. On time is
 * what arrived until the window's grace was over; a row is built from those alone if there are any,
 * so it does not depend on when jobs ran (FEA-15). What came later, at most a day, builds a row only
 * for a window that has nothing else (FEA-11).
 */
export function windowSumsQuery(fleet: FleetDefinition, selection: SumSelection): string {
  const { relation, rule, startMs, endMs, devices, keys } = selection
  const steps = fleet.sensors.map((sensor, index) => stepColumn(fleet, sensor, index))
  const sums = fleet.sensors.flatMap((sensor, index) => sensorSums(fleet, sensor, index))
  const wanted = keys === undefined ? '' : `SEMI JOIN ${keys} AS wanted USING (device_id, start_ms)`
  return `SELECT device_id, start_ms, on_time, count(*) AS reading_count,
      sum(sensor_null_count) AS null_count, count_if(is_flagged) AS quality_flag_count,
      ${sums.join(',\n      ')}
    FROM (
      SELECT *, arrived_ms <= start_ms + ${rule.lengthMs + rule.graceMs} AS on_time,
        event_ms - start_ms AS time_ms
      FROM (
        SELECT device_id, epoch_ms(timestamp_utc) AS event_ms,
          epoch_ms(timestamp_utc) // ${rule.lengthMs} * ${rule.lengthMs} AS start_ms,
          epoch_ms(timestamp_ingested) AS arrived_ms,
          sensor_null_count, len(quality_flags) > 0 AS is_flagged,
          ${steps.join(', ')}
        FROM ${relation}
        WHERE timestamp_utc >= ${sqlInstant(startMs)} AND timestamp_utc < ${sqlInstant(endMs)}
          ${devices === undefined ? '' : `AND ${devices}`})
      ${wanted}
      WHERE arrived_ms <= start_ms + ${rule.lengthMs + Math.max(lateCreationMs, rule.graceMs)})
    GROUP BY device_id, start_ms, on_time`
}
