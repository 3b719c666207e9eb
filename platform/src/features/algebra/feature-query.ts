import type { FleetDefinition, OperatingMode } from '../../contracts/index.ts'
import type { FinalBounds, WindowRule } from '../window-rules.ts'
import type { Dialect } from './dialect.ts'
import { termSql } from './term-sql.ts'
import { windowFeatures } from './window-terms.ts'

/** What rows say about the run that made them. */
export type Provenance = FinalBounds & {
  readonly rule: WindowRule
  readonly featureVersion: string
  readonly cleanVersion: number
  readonly nowMs: number
}

function modeSql(dialect: Dialect, modes: readonly OperatingMode[]): string {
  const cases = modes.map(({ name, feature, atLeast, below }) => {
    const column = dialect.quote(feature)
    const bounds = [
      `${column} IS NOT NULL`,
      ...(atLeast === undefined ? [] : [`${column} >= ${atLeast}`]),
      ...(below === undefined ? [] : [`${column} < ${below}`]),
    ]
    return `WHEN ${bounds.join(' AND ')} THEN ${dialect.text(name)}`
  })
  return cases.length === 0 ? "'normal'" : `CASE ${cases.join(' ')} ELSE 'normal' END`
}

/** Whether a row may still change, from its window's end and its origin. */
export function isFinalSql(dialect: Dialect, { lateFinalUntilMs, finalUntilMs }: FinalBounds) {
  return `CASE WHEN late_created THEN window_end <= ${dialect.instant(String(lateFinalUntilMs))}
    ELSE window_end <= ${dialect.instant(String(finalUntilMs))} END`
}

/**
 * SELECT of feature rows (contract 3) from a table of window sums and one of the sensors that
 * devices of their own have. A window with readings on time is built from them alone.
 */
export function featureQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  tables: { readonly sums: string; readonly ownSensors: string },
  provenance: Provenance,
): string {
  const { rule, featureVersion, cleanVersion, nowMs } = provenance
  const features = windowFeatures(fleet)
  const named = ({ name, term }: (typeof features)[number]) =>
    `${term.kind === 'count' ? dialect.integer32(termSql(dialect, term)) : termSql(dialect, term)} AS ${dialect.quote(name)}`
  const own = `COALESCE(own.sensor_count, ${fleet.sensors.length}) AS own_sensors`
  const base = `SELECT device_id, ${dialect.instant('start_ms')} AS window_start,
      ${dialect.instant(`start_ms + ${rule.lengthMs}`)} AS window_end,
      ${dialect.integer32(String(rule.minutes))} AS window_duration_minutes,
      ${features
        .filter(({ isDerived }) => !isDerived)
        .map(named)
        .join(',\n      ')},
      NOT on_time AS late_created, ${dialect.date('start_ms')} AS window_date
    FROM (SELECT sums.*, ${own} FROM ${tables.sums} AS sums
      LEFT JOIN ${tables.ownSensors} AS own ON own.device_id = sums.device_id
      WHERE sums.on_time OR NOT EXISTS (SELECT 1 FROM ${tables.sums} AS punctual
        WHERE punctual.on_time AND punctual.device_id = sums.device_id
          AND punctual.start_ms = sums.start_ms)) AS owned`
  const derived = features
    .filter(({ isDerived }) => isDerived)
    .reduce((query, feature) => `SELECT *, ${named(feature)} FROM (${query}) AS earlier`, base)
  return `SELECT *, ${dialect.instant(String(nowMs))} AS computed_at,
      ${dialect.text(featureVersion)} AS feature_version,
      '${cleanVersion}' AS clean_snapshot_id, ${modeSql(dialect, fleet.operatingModes)} AS operating_mode,
      ${isFinalSql(dialect, provenance)} AS is_final, ${dialect.nullOf('boolean')} AS post_maintenance,
      ${dialect.nullOf('texts')} AS outlier_features
    FROM (${derived}) AS features`
}
