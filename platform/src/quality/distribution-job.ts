import type { DuckDBConnection } from '@duckdb/node-api'
import { countRows, sqlInstant, sqlText, timeSpan } from '../clean/index.ts'
import { type DeviceRow, quoteName } from '../contracts/index.ts'
import type { JobContext, Lake } from '../lake/index.ts'
import { currentDevices } from './device-slices.ts'
import type { GateResult } from './gate-entry.ts'

/** Which batch to look at: what arrived in the hour or day that ends at an instant. */
export type DistributionInput = {
  readonly devices: readonly DeviceRow[]
  readonly granularity: 'hour' | 'day'
  /** End of the batch by arrival, exclusive; cut to a whole hour or day. */
  readonly untilMs: number
}

/** One sensor in one segment that lies outside the weeks before. */
export type DistributionShift = {
  readonly segmentType: string
  readonly segmentValue: string
  readonly sensor: string
  readonly mean: number
  readonly baselineMean: number
  readonly sigmas: number | null
}

const lengths = { hour: 3_600_000, day: 86_400_000 } as const
const baselineMs = 30 * 86_400_000
/** Batches a baseline needs, and values a batch needs, ING-53. */
const minBatches = 7
const minValues = 1_000
const sigmaLimit = 2
/**
 * Rows looked at: with so many the rank of a percentile is right within 0.1 points, and in a segment
 * of 2,500 of them within 1 point (two standard errors), the bar of ING-54.
 */
const sampleRows = 500_000

async function createSegments(
  connection: DuckDBConnection,
  devices: readonly DeviceRow[],
): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE segments (segment_device VARCHAR,
    region VARCHAR, firmware VARCHAR, model VARCHAR)`)
  const rows = currentDevices(devices).map(
    (row) =>
      `(${[row.device_id, row.region, row.firmware_version ?? '', row.model].map(sqlText).join(', ')})`,
  )
  for (let start = 0; start < rows.length; start += 2_000) {
    await connection.run(
      `INSERT INTO segments VALUES ${rows.slice(start, start + 2_000).join(', ')}`,
    )
  }
}

/** Temporary table `batch`: figures per segment and sensor of what arrived in the span. */
async function measureBatch(
  connection: DuckDBConnection,
  lake: Lake,
  relation: string,
  rowCount: number,
): Promise<void> {
  const step = Math.max(1, Math.floor(rowCount / sampleRows))
  const values = lake.fleet.sensors.map(
    ({ name }) =>
      `CASE WHEN isfinite(${quoteName(name)}::DOUBLE) THEN ${quoteName(name)}::DOUBLE END AS ${quoteName(name)}`,
  )
  const names = lake.fleet.sensors.map(({ name }) => quoteName(name))
  await connection.run(`CREATE OR REPLACE TEMP TABLE batch AS
    WITH sampled AS (
      SELECT device_id, ${values.join(', ')} FROM ${relation}
      WHERE hash(_sequence_number) % ${step} = 0),
    long AS (SELECT device_id, sensor_name, reading FROM sampled
      UNPIVOT INCLUDE NULLS (reading FOR sensor_name IN (${names.join(', ')}))),
    joined AS (SELECT sensor_name, reading, region, firmware, model
      FROM long JOIN segments ON segment_device = device_id)
    SELECT sensor_name,
      CASE WHEN grouping(region) = 0 THEN 'region' WHEN grouping(firmware) = 0 THEN 'firmware'
        WHEN grouping(model) = 0 THEN 'model' ELSE 'fleet' END AS segment_type,
      coalesce(region, firmware, model, ${sqlText(lake.fleet.name)}) AS segment_value,
      count(reading) * ${step} AS n, 1 - count(reading) / count(*) AS null_rate,
      avg(reading) AS mean, stddev_samp(reading) AS std,
      quantile_cont(reading, [0.01, 0.05, 0.5, 0.95, 0.99]) AS shares,
      shares[1] AS p01, shares[2] AS p05, shares[3] AS p50, shares[4] AS p95, shares[5] AS p99
    FROM joined
    GROUP BY GROUPING SETS ((sensor_name), (sensor_name, region), (sensor_name, firmware),
      (sensor_name, model))`)
}

/** Rows of `ingestion_distribution_stats` for the batch beside 30 days of batches before it. */
function statsQuery(
  lake: Lake,
  history: string,
  granularity: DistributionInput['granularity'],
  [startMs, endMs]: readonly [number, number],
  nowMs: number,
): string {
  // What a sensor cannot resolve is no shift, however still the weeks before were.
  const steps = lake.fleet.sensors
    .map(({ name, resolution }) => `WHEN ${sqlText(name)} THEN ${resolution}`)
    .join(' ')
  return `WITH baseline AS (
      SELECT segment_type, segment_value, sensor_name, count(*) AS batches,
        avg(mean) AS baseline_mean, stddev_samp(mean) AS baseline_mean_std,
        median(p01) AS baseline_p01, median(p99) AS baseline_p99
      FROM ${history}
      WHERE granularity = '${granularity}' AND batch_start < ${sqlInstant(startMs)}
        AND batch_start >= ${sqlInstant(startMs - baselineMs)} AND n >= ${minValues}
        AND NOT shift_detected
      GROUP BY ALL),
    judged AS (
      SELECT batch.*, baseline.* EXCLUDE (segment_type, segment_value, sensor_name),
        n >= ${minValues} AND coalesce(batches, 0) >= ${minBatches} AS is_enough,
        CASE WHEN baseline_mean_std > 0 THEN abs(mean - baseline_mean) / baseline_mean_std END
          AS deviation_sigma
      FROM batch LEFT JOIN baseline USING (segment_type, segment_value, sensor_name)),
    decided AS (SELECT * EXCLUDE (step), is_enough AND coalesce(
        (abs(mean - baseline_mean) > step
          AND (baseline_mean_std = 0 OR deviation_sigma > ${sigmaLimit}))
        OR p95 > baseline_p99 + step OR p05 < baseline_p01 - step, false) AS shift_detected
      FROM (SELECT *, CASE sensor_name ${steps} END AS step FROM judged))
    SELECT * EXCLUDE (batches, is_enough, shares), ${sqlInstant(nowMs)} AS computed_at,
      ${sqlInstant(startMs)} AS batch_start, ${sqlInstant(endMs)} AS batch_end,
      '${granularity}' AS granularity,
      CASE WHEN shift_detected THEN 'shift' WHEN is_enough THEN 'ok' ELSE 'insufficient_data' END
        AS status
    FROM decided`
}

/**
 * Compares what arrived in an hour or a day with the 30 days before, per sensor for the fleet, each
 * region, firmware and model, and writes `ingestion_distribution_stats` (ING-53, ING-54). Advisory:
 * it stops nothing. Batches that were shifted themselves do not become normal by being repeated.
 */
export async function distributionJob(
  { lake, nowMs }: JobContext,
  { devices, granularity, untilMs }: DistributionInput,
): Promise<readonly DistributionShift[]> {
  const endMs = Math.floor(untilMs / lengths[granularity]) * lengths[granularity]
  const startMs = endMs - lengths[granularity]
  const landing = lake.table('raw_sensor_readings')
  const stats = lake.table('ingestion_distribution_stats')
  const snapshot = await landing.snapshot()
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_ingested')
    return minMs < endMs && maxMs >= startMs
  })
  if (files.length === 0) return []
  const relation = `(SELECT * FROM ${landing.relation(snapshot, files)}
    WHERE timestamp_ingested >= ${sqlInstant(startMs)} AND timestamp_ingested < ${sqlInstant(endMs)})`
  return await lake.withConnection(async (connection) => {
    await createSegments(connection, devices)
    await measureBatch(connection, lake, relation, countRows(files))
    const history = stats.relation(await stats.snapshot())
    await connection.run(`CREATE OR REPLACE TEMP TABLE stats AS
      ${statsQuery(lake, history, granularity, [startMs, endMs], nowMs)}`)
    await stats.write({
      connection,
      query: 'SELECT * FROM stats',
      positions: [{ appId: `quality/distribution/${granularity}`, version: endMs / 1000 }],
      operation: 'DISTRIBUTION',
      nowMs,
    })
    const reader = await connection.runAndReadAll(`SELECT segment_type, segment_value, sensor_name,
        mean, baseline_mean, deviation_sigma
      FROM stats WHERE shift_detected ORDER BY deviation_sigma DESC NULLS LAST, segment_type,
        segment_value, sensor_name`)
    return reader.getRowsJS().map(([segmentType, segmentValue, sensor, mean, base, sigmas]) => ({
      segmentType: String(segmentType),
      segmentValue: String(segmentValue),
      sensor: String(sensor),
      mean: Number(mean),
      baselineMean: Number(base),
      sigmas: typeof sigmas === 'number' ? sigmas : null,
    }))
  })
}

/** The shifts of the whole fleet and of each firmware as something a person sees; it holds nothing. */
export function distributionResults(
  shifts: readonly DistributionShift[],
  devices: readonly DeviceRow[],
): readonly GateResult[] {
  const firmware = new Set(devices.map(({ firmware_version }) => firmware_version ?? ''))
  const segments = [undefined, ...firmware].map((own) =>
    own === undefined
      ? { scope: {}, own: shifts.filter(({ segmentType }) => segmentType === 'fleet') }
      : {
          scope: { firmware: own },
          own: shifts.filter(
            ({ segmentType, segmentValue }) => segmentType === 'firmware' && segmentValue === own,
          ),
        },
  )
  return segments.map(({ scope, own }) => ({
    gateId: 'ING-53',
    table: 'raw_sensor_readings',
    severity: 'WARN',
    scope,
    isPassed: own.length === 0,
    holds: 'nothing',
    value: own.length,
    limit: 0,
    rowCount: 0,
    ...(own.length > 0 && {
      detail: own
        .slice(0, 5)
        .map(({ sensor, mean, baselineMean }) =>
          [sensor, Number(mean.toPrecision(4)), 'was', Number(baselineMean.toPrecision(4))].join(
            ' ',
          ),
        )
        .join(', '),
    }),
  }))
}
