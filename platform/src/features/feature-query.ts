import { sqlInstant, sqlText } from '../clean/index.ts'
import {
  type Aggregate,
  type DerivedFeature,
  type FleetDefinition,
  type OperatingMode,
  quoteName,
  type Sensor,
  unreachable,
} from '../contracts/index.ts'
import { ownSensorsTable } from './own-sensors.ts'
import { valueGrid } from './value-grid.ts'
import type { FinalBounds, WindowRule } from './window-rules.ts'

/** What rows say about the run that made them. */
export type Provenance = FinalBounds & {
  readonly rule: WindowRule
  readonly featureVersion: string
  readonly cleanVersion: number
  readonly nowMs: number
}

/** FEA-18 from exact sums; the only rounding is the final division. */
function aggregateSql(
  fleet: FleetDefinition,
  sensor: Sensor,
  index: number,
  aggregate: Aggregate,
): string {
  const n = `n_${index}`
  const scale = sensor.kind === 'boolean' ? 1 : valueGrid(fleet, sensor).scale
  const ratio = (numerator: string, denominator: string, isDefined: string) =>
    `CASE WHEN ${isDefined} THEN (${numerator})::DOUBLE / (${denominator}) END`
  switch (aggregate) {
    case 'mean':
      return ratio(`sum_${index}`, `${n} * ${scale}::DOUBLE`, `${n} > 0`)
    case 'std': {
      const deviations = `${n} * squares_${index} - sum_${index} * sum_${index}`
      const variance = ratio(deviations, `(${n} * (${n} - 1))::DOUBLE`, `${n} > 1`)
      return `sqrt(${variance}) / ${scale}`
    }
    case 'min':
    case 'max':
      return `${aggregate}_${index}::DOUBLE / ${scale}`
    case 'p95':
      return `p95_${index} / ${scale}`
    case 'fraction':
      return ratio(`true_${index}`, n, `${n} > 0`)
    case 'slope': {
      const times = `times_${index}`
      const spread = `(${n} * time_squares_${index} - ${times} * ${times})`
      const product = `${n} * time_products_${index} - ${times} * sum_${index}`
      const slope = ratio(product, `${spread}::DOUBLE`, `${n} > 1 AND ${spread} > 0`)
      return `${slope} * (60000 / ${scale}::DOUBLE)`
    }
    default:
      return unreachable(aggregate)
  }
}

function derivedSql(feature: DerivedFeature): string {
  if (feature.kind === 'difference') {
    return `${quoteName(feature.minuend)} - ${quoteName(feature.subtrahend)}`
  }
  const denominator = quoteName(feature.denominator)
  const comparison = feature.inclusive === true ? '>=' : '>'
  return `CASE WHEN ${denominator} ${comparison} ${feature.denominatorAbove}
    AND ${denominator} <> 0 THEN ${quoteName(feature.numerator)} / ${denominator} END`
}

function modeSql(modes: readonly OperatingMode[]): string {
  const cases = modes.map(({ name, feature, atLeast, below }) => {
    const column = quoteName(feature)
    const bounds = [
      `${column} IS NOT NULL`,
      ...(atLeast === undefined ? [] : [`${column} >= ${atLeast}`]),
      ...(below === undefined ? [] : [`${column} < ${below}`]),
    ]
    return `WHEN ${bounds.join(' AND ')} THEN ${sqlText(name)}`
  })
  return cases.length === 0 ? "'normal'" : `CASE ${cases.join(' ')} ELSE 'normal' END`
}

/** Whether a row may still change, from its window's end and its origin. */
export function isFinalSql(provenance: FinalBounds): string {
  return `CASE WHEN late_created THEN window_end <= ${sqlInstant(provenance.lateFinalUntilMs)}
    ELSE window_end <= ${sqlInstant(provenance.finalUntilMs)} END`
}

/**
 * SELECT of feature rows (contract 3) from a temporary table of window sums. A window with readings
 * on time is built from them alone.
 */
export function featureQuery(
  fleet: FleetDefinition,
  sumsTable: string,
  provenance: Provenance,
): string {
  const { rule, featureVersion, cleanVersion, nowMs } = provenance
  const aggregates = fleet.sensors.flatMap((sensor, index) =>
    sensor.aggregates.map(
      (aggregate) =>
        `${aggregateSql(fleet, sensor, index, aggregate)} AS ${quoteName(`${sensor.short}_${aggregate}`)}`,
    ),
  )
  const total = `(${fleet.sensors.length} * reading_count)`
  const expected = `COALESCE(own.sensor_count, ${fleet.sensors.length})`
  const base = `SELECT sums.device_id AS device_id, make_timestamptz(start_ms * 1000) AS window_start,
      make_timestamptz((start_ms + ${rule.lengthMs}) * 1000) AS window_end,
      ${rule.minutes}::INTEGER AS window_duration_minutes,
      reading_count::INTEGER AS reading_count, ${aggregates.join(',\n      ')},
      least(1, (${total} - null_count)::DOUBLE / (${expected} * reading_count))
        AS sensor_completeness,
      quality_flag_count::INTEGER AS quality_flag_count, NOT on_time AS late_created,
      strftime(make_timestamp(start_ms * 1000), '%Y-%m-%d') AS window_date
    FROM ${sumsTable} AS sums
    LEFT JOIN ${ownSensorsTable} AS own ON own.device_id = sums.device_id
    WHERE on_time OR NOT EXISTS (FROM ${sumsTable} AS punctual WHERE punctual.on_time
      AND punctual.device_id = sums.device_id AND punctual.start_ms = sums.start_ms)`
  const derived = fleet.derivedFeatures.reduce(
    (query, feature) =>
      `SELECT *, ${derivedSql(feature)} AS ${quoteName(feature.name)} FROM (${query})`,
    base,
  )
  return `SELECT *, ${sqlInstant(nowMs)} AS computed_at, ${sqlText(featureVersion)} AS feature_version,
      '${cleanVersion}' AS clean_snapshot_id, ${modeSql(fleet.operatingModes)} AS operating_mode,
      ${isFinalSql(provenance)} AS is_final, NULL::BOOLEAN AS post_maintenance,
      NULL::VARCHAR[] AS outlier_features
    FROM (${derived})`
}
