import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FleetDefinition, featureColumns } from 'isotherm/contracts'
import type { Lake } from 'isotherm/lake'

/** Text as an SQL literal. */
const text = (value: string) => `'${value.replaceAll("'", "''")}'`

const instant = (timeMs: number) => `make_timestamptz(${timeMs}000::BIGINT)`

/** Writes NDJSON readings (device_id, timestamp, sensors) into the clean table. */
export async function writeReadings(
  lake: Lake,
  rows: readonly Readonly<Record<string, unknown>>[],
  nowMs: number,
): Promise<void> {
  const path = join(lake.temporaryDirectory, 'preview.ndjson')
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
  const { sensors } = lake.fleet
  const types = sensors
    .map(({ name, kind }) => `${name}: ${kind === 'boolean' ? "'BOOLEAN'" : "'DOUBLE'"}`)
    .join(', ')
  const nulls = sensors.map(({ name }) => `(${name} IS NULL)::INTEGER`).join(' + ')
  await lake.withConnection((connection) =>
    lake.table('clean_sensor_readings').write({
      connection,
      query: `SELECT uuid()::VARCHAR AS event_id, device_id, timestamp_utc, ${sensors
        .map(({ name }) => name)
        .join(', ')},
        []::VARCHAR[] AS quality_flags, ${nulls} AS sensor_null_count,
        timestamp_utc AS timestamp_ingested, NULL::TIMESTAMPTZ AS timestamp_available,
        []::VARCHAR[] AS range_violation_sensors, []::VARCHAR[] AS merged_event_ids,
        strftime(timestamp_utc, '%Y-%m-%d') AS date
        FROM (SELECT * REPLACE (make_timestamptz((timestamp_utc * 1000)::BIGINT) AS timestamp_utc)
          FROM read_ndjson(${text(path)}, columns = {device_id: 'VARCHAR', timestamp_utc: 'BIGINT', ${types}}))`,
      operation: 'PREVIEW',
      nowMs,
    }),
  )
}

function aggregateSql(sensor: string, aggregate: string): string {
  switch (aggregate) {
    case 'mean':
      return `avg(${sensor})`
    case 'std':
      return `stddev_samp(${sensor})`
    case 'slope':
      return `CASE WHEN count(${sensor}) > 2 THEN regr_slope(${sensor}, epoch(timestamp_utc) / 60) END`
    case 'p95':
      return `quantile_cont(${sensor}, 0.95)`
    case 'fraction':
      return `avg(${sensor}::INTEGER)`
    default:
      return `${aggregate}(${sensor})`
  }
}

function derivedSql(fleet: FleetDefinition): string {
  return fleet.derivedFeatures
    .flatMap(({ name, formula }) =>
      formula.kind === 'ratio'
        ? [`${formula.numerator} / nullif(${formula.denominator}, 0) AS ${name}`]
        : formula.kind === 'difference'
          ? [`${formula.minuend} - ${formula.subtrahend} AS ${name}`]
          : [],
    )
    .join(', ')
}

/** Feature rows of all windows of the given lengths, straight from the clean table. */
export async function writeFeatures(lake: Lake, nowMs: number): Promise<void> {
  const clean = lake.table('clean_sensor_readings')
  const relation = clean.relation(await clean.snapshot())
  const aggregates = featureColumns(lake.fleet).flatMap(({ name, source }) =>
    source.kind === 'aggregate'
      ? [`${aggregateSql(source.sensor.name, source.aggregate)} AS ${name}`]
      : [],
  )
  for (const minutes of lake.fleet.windowMinutes) {
    const query = `SELECT *, ${derivedSql(lake.fleet)} FROM (
      SELECT device_id, time_bucket(INTERVAL ${minutes} MINUTE, timestamp_utc) AS window_start,
        window_start + INTERVAL ${minutes} MINUTE AS window_end,
        ${minutes} AS window_duration_minutes, count(*)::INTEGER AS reading_count,
        ${aggregates.join(', ')},
        1 - avg(sensor_null_count) / ${lake.fleet.sensors.length} AS sensor_completeness,
        0 AS quality_flag_count, ${instant(nowMs)} AS computed_at, '1.0.0' AS feature_version,
        NULL::VARCHAR AS clean_snapshot_id, 'cooling' AS operating_mode, true AS is_final,
        false AS late_created, false AS post_maintenance, []::VARCHAR[] AS outlier_features,
        strftime(window_start, '%Y-%m-%d') AS window_date
      FROM ${relation} GROUP BY ALL) WHERE window_end <= ${instant(nowMs)}`
    await lake.withConnection((connection) =>
      lake.table('device_features').write({ connection, query, operation: 'PREVIEW', nowMs }),
    )
  }
}

/** Fleet-wide normal levels, from devices that are well. */
export async function writeBaselines(
  lake: Lake,
  healthy: readonly string[],
  nowMs: number,
): Promise<void> {
  const features = lake.table('device_features')
  const relation = features.relation(await features.snapshot())
  const names = featureColumns(lake.fleet).map(({ name }) => name)
  const query = `SELECT feature_name, 'fleet' AS granularity, NULL::VARCHAR AS cohort_id,
      NULL::VARCHAR AS device_id, avg(value) AS baseline_mean, stddev_samp(value) AS baseline_std,
      ${[5, 25, 50, 75, 95]
        .map((p) => `quantile_cont(value, ${p / 100}) AS baseline_p${String(p).padStart(2, '0')}`)
        .join(', ')},
      ${instant(nowMs)} AS computed_at, ${instant(nowMs)} AS training_window_start,
      ${instant(nowMs)} AS training_window_end, window_duration_minutes,
      'isolation_forest' AS model_id, '1.0.0' AS model_version, count(*) AS n_rows,
      min(value) AS min, max(value) AS max, mad(value) AS mad, 0.0 AS null_fraction,
      NULL::DOUBLE[] AS psi_edges, NULL::DOUBLE[] AS psi_fractions, NULL::DOUBLE[] AS quantiles
    FROM (UNPIVOT (SELECT device_id, window_duration_minutes,
        ${names.map((name) => `${name}::DOUBLE AS ${name}`).join(', ')} FROM ${relation}
        WHERE device_id IN (${healthy.map(text).join(', ')}))
      ON ${names.join(', ')} INTO NAME feature_name VALUE value)
    GROUP BY feature_name, window_duration_minutes`
  await lake.withConnection((connection) =>
    lake.table('feature_baselines').write({ connection, query, operation: 'PREVIEW', nowMs }),
  )
}

/** Scores by a stand-in rule of thumb, the mean of the three largest deviations. */
export async function writeScores(lake: Lake, nowMs: number): Promise<void> {
  const features = lake.table('device_features')
  const baselines = lake.table('feature_baselines')
  const relation = features.relation(await features.snapshot())
  const levels = baselines.relation(await baselines.snapshot())
  const names = featureColumns(lake.fleet).map(({ name }) => name)
  for (const [modelId, divisor] of [
    ['isolation_forest', 9],
    ['statistical_baseline', 14],
  ] as const) {
    const query = `SELECT uuid()::VARCHAR AS score_id, device_id, window_start, window_end,
        window_duration_minutes, '${modelId}' AS model_id, '1.0.0' AS model_version,
        'champion' AS deployment_role, 'fleet' AS granularity, NULL::VARCHAR AS cohort_id,
        anomaly_score, anomaly_score > 0.6 AS anomaly_flag, 0.6 AS threshold_used,
        list_transform(top, t -> t.feature_name) AS top_contributors,
        list_transform(top, t -> t.z) AS contributor_scores,
        list_transform(top, t -> t.direction) AS contributor_directions,
        NULL::MAP(VARCHAR, DOUBLE) AS shap_values, window_end + INTERVAL 3 MINUTE AS scored_at,
        sensor_completeness, true AS alert_eligible, false AS data_quality,
        'preview' AS run_id, 'normal' AS confidence, NULL::DOUBLE AS raw_score,
        NULL::MAP(VARCHAR, DOUBLE) AS component_scores,
        strftime(window_end, '%Y-%m-%d') AS scored_at_date
      FROM (SELECT device_id, window_start, window_end, window_duration_minutes,
        any_value(sensor_completeness) AS sensor_completeness,
        list({feature_name: feature_name, z: z, direction: direction} ORDER BY z DESC)[:5] AS top,
        least(1, list_avg(list(z ORDER BY z DESC)[:3]) / ${divisor}) AS anomaly_score
      FROM (SELECT f.*, abs(value - baseline_p50) / greatest(1.4826 * mad, baseline_std / 2, 1e-3) AS z,
          CASE WHEN value >= baseline_p50 THEN 'high' ELSE 'low' END AS direction
        FROM (UNPIVOT (SELECT device_id, window_start, window_end, window_duration_minutes,
            sensor_completeness AS completeness,
            ${names.map((name) => `${name}::DOUBLE AS ${name}`).join(', ')} FROM ${relation})
          ON ${names.join(', ')} INTO NAME feature_name VALUE value)
          AS f JOIN (SELECT *, 1.0 AS sensor_completeness FROM ${levels}) AS b
            USING (feature_name, window_duration_minutes)
        WHERE feature_name NOT IN ('reading_count', 'sensor_completeness', 'quality_flag_count'))
      GROUP BY ALL)`
    await lake.withConnection((connection) =>
      lake.table('model_scores').write({
        connection,
        query: query.replace(
          'SELECT f.*, abs',
          'SELECT f.device_id, f.window_start, f.window_end, window_duration_minutes, feature_name, f.completeness AS sensor_completeness, abs',
        ),
        operation: 'PREVIEW',
        nowMs,
      }),
    )
  }
}
