import type { DuckDBConnection } from '@duckdb/node-api'
import { type LimitRule, quoteName } from '../contracts/index.ts'
import { appendColumns } from './append-columns.ts'
import type { FeatureRows, FleetDevice } from './feature-rows.ts'
import { type FeatureSource, sqlInstant, type WindowRange, windowsIn } from './feature-source.ts'
import { readNumericColumns } from './numeric-columns.ts'
import { cohortsOf, readStaged, stageFeatures } from './stage-features.ts'
import { type Stratum, stratumQuotas } from './stratified-sample.ts'

/** Time of one device that is kept out of training: under an open or confirmed alert, MOD-15. */
export type ExcludedSpan = {
  readonly deviceId: string
  readonly startMs: number
  readonly endMs: number
}

/** Rows kept out of training and why, MOD-31; a row counts under the first reason that holds. */
export type ExclusionSummary = {
  readonly totalBefore: number
  readonly lowCompleteness: number
  readonly lowReading: number
  readonly highQualityFlags: number
  readonly postMaintenance: number
  readonly alerted: number
  /** Beyond the fleet's plain limits: the unit was out of service, not normal. */
  readonly outOfService: number
  /** Share of all rows; above 0.2 the rules need a review. */
  readonly excludedFraction: number
}

/** Which rows train a model. */
export type TrainingRowOptions = {
  readonly range: WindowRange
  readonly columns: readonly string[]
  readonly devices: readonly FleetDevice[]
  readonly excludedSpans: readonly ExcludedSpan[]
  /** The fleet's fallback rules: rows that break one are no example of normal (MOD-31). */
  readonly limits: readonly LimitRule[]
  /** Most rows, MOD-33. */
  readonly rowLimit: number
  readonly seed: number
}

const reasons = [
  'low_completeness',
  'low_reading',
  'high_quality_flags',
  'post_maintenance',
  'alerted',
  'out_of_service',
] as const

/** Makes the registry and the excluded spans known to SQL under fixed temporary names. */
export async function stageRegistry(
  connection: DuckDBConnection,
  devices: readonly FleetDevice[],
  excludedSpans: readonly ExcludedSpan[],
): Promise<void> {
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE training_devices (device_id VARCHAR, equipment VARCHAR, interval_s DOUBLE)',
  )
  await appendColumns(connection, 'training_devices', [
    { kind: 'values', values: devices.map(({ device_id }) => device_id) },
    { kind: 'values', values: devices.map(({ model }) => model) },
    {
      kind: 'doubles',
      values: Float64Array.from(devices, ({ reporting_interval_s }) => reporting_interval_s),
    },
  ])
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE excluded_spans (device_id VARCHAR, start_ms DOUBLE, end_ms DOUBLE)',
  )
  await appendColumns(connection, 'excluded_spans', [
    { kind: 'values', values: excludedSpans.map(({ deviceId }) => deviceId) },
    { kind: 'doubles', values: Float64Array.from(excludedSpans, ({ startMs }) => startMs) },
    { kind: 'doubles', values: Float64Array.from(excludedSpans, ({ endMs }) => endMs) },
  ])
}

/** SQL condition that a feature row breaks a plain limit; false for nulls, as SRV-36 says. */
function breaksLimit({ feature, above, below, unlessPositive }: LimitRule): string {
  const column = `f.${quoteName(feature)}`
  const broken = [
    ...(above === undefined ? [] : [`${column} > ${above}`]),
    ...(below === undefined ? [] : [`${column} < ${below}`]),
  ].join(' OR ')
  const applies =
    unlessPositive === undefined ? '' : ` AND coalesce(f.${quoteName(unlessPositive)}, 0) <= 0`
  return `(coalesce(${broken || 'false'}, false)${applies})`
}

/**
 * Feature rows with the first reason, if any, that keeps them out of training (MOD-31, FEA-12). A
 * unit that failed and waits for repair would else teach every model what failed units look like.
 */
export function judgedRows(
  source: FeatureSource,
  range: WindowRange,
  limits: readonly LimitRule[],
  where = 'true',
): string {
  const seconds = source.durationMinutes * 60
  return `(SELECT f.*, coalesce(d.equipment, '') AS equipment, CASE
      WHEN f.sensor_completeness < 0.7 THEN 'low_completeness'
      WHEN f.reading_count < ceil(2.0 / 3 * ${seconds} / coalesce(d.interval_s, 60)) THEN 'low_reading'
      WHEN 3 * f.quality_flag_count > f.reading_count THEN 'high_quality_flags'
      WHEN f.post_maintenance THEN 'post_maintenance'
      WHEN EXISTS (FROM excluded_spans AS span WHERE span.device_id = f.device_id
        AND epoch_ms(f.window_start) < span.end_ms AND epoch_ms(f.window_end) > span.start_ms)
        THEN 'alerted'
      WHEN ${limits.map(breaksLimit).join(' OR ') || 'false'} THEN 'out_of_service' END AS exclusion
    FROM ${windowsIn(source, range)} AS f
    LEFT JOIN training_devices AS d ON d.device_id = f.device_id
    WHERE ${where})`
}

/** Selected rows, what was left out, and how much of each column is null. */
export type TrainingRows = {
  readonly rows: FeatureRows
  readonly exclusions: ExclusionSummary
  readonly deviceCount: number
  readonly nullFractions: Readonly<Record<string, number>>
}

/** Reads the training sample: selected, at most `rowLimit` rows, stratified (MOD-31, MOD-33). */
export async function readTrainingRows(
  connection: DuckDBConnection,
  source: FeatureSource,
  options: TrainingRowOptions,
): Promise<TrainingRows> {
  const { range, columns, devices, rowLimit, seed } = options
  await stageRegistry(connection, devices, options.excludedSpans)
  const judged = judgedRows(source, range, options.limits)
  const exclusions = await summarise(connection, judged)
  const kept = keptCount(exclusions)
  const isSampled = kept > rowLimit
  if (isSampled) await stageQuotas(connection, judged, rowLimit)
  const staged = await stageFeatures(connection, {
    source,
    range,
    columns,
    tableName: 'training_rows',
    rows: isSampled ? sampled(judged, seed) : judged,
    where: 'exclusion IS NULL',
  })
  const rows = await readStaged(staged, 0, staged.rowCount, cohortsOf(devices))
  const { deviceCount, nullFractions } = staged
  return { rows, exclusions, deviceCount, nullFractions }
}

function keptCount(summary: ExclusionSummary): number {
  return Math.round(summary.totalBefore * (1 - summary.excludedFraction))
}

async function summarise(connection: DuckDBConnection, judged: string): Promise<ExclusionSummary> {
  const counts = await readNumericColumns(
    connection,
    `SELECT count(*)::DOUBLE, ${reasons
      .map((reason) => `(count(*) FILTER (exclusion = '${reason}'))::DOUBLE`)
      .join(', ')} FROM ${judged}`,
    { numberCount: reasons.length + 1, textCount: 0, expectedRows: 1 },
  )
  const [total = 0, completeness = 0, reading = 0, flags = 0, maintenance = 0] = counts.values
  const [alerted = 0, outOfService = 0] = counts.values.subarray(5)
  const excluded = completeness + reading + flags + maintenance + alerted + outOfService
  return {
    totalBefore: total,
    lowCompleteness: completeness,
    lowReading: reading,
    highQualityFlags: flags,
    postMaintenance: maintenance,
    alerted,
    outOfService,
    excludedFraction: total === 0 ? 0 : excluded / total,
  }
}

const stratumColumns = `strftime(date_trunc('week', window_start), '%Y-%m-%d') AS week,
  equipment, coalesce(operating_mode, '') AS mode`

async function stageQuotas(
  connection: DuckDBConnection,
  judged: string,
  rowLimit: number,
): Promise<void> {
  const counted = await readNumericColumns(
    connection,
    `SELECT count(*)::DOUBLE, week, equipment, mode
     FROM (SELECT ${stratumColumns} FROM ${judged} WHERE exclusion IS NULL)
     GROUP BY ALL ORDER BY week, equipment, mode`,
    { numberCount: 1, textCount: 3, expectedRows: 1024 },
  )
  const strata = Array.from(
    { length: counted.rowCount },
    (_, index): Stratum => ({
      week: counted.texts[0]?.[index] ?? '',
      equipment: counted.texts[1]?.[index] ?? '',
      mode: counted.texts[2]?.[index] ?? '',
      rowCount: counted.values[index]!,
    }),
  )
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE stratum_quotas (week VARCHAR, equipment VARCHAR, mode VARCHAR, quota DOUBLE)',
  )
  await appendColumns(connection, 'stratum_quotas', [
    { kind: 'values', values: strata.map(({ week }) => week) },
    { kind: 'values', values: strata.map(({ equipment }) => equipment) },
    { kind: 'values', values: strata.map(({ mode }) => mode) },
    { kind: 'doubles', values: stratumQuotas(strata, rowLimit) },
  ])
}

/** Draws by a hash of device, window and seed: the same rows whatever the order of files. */
function sampled(judged: string, seed: number): string {
  const draw = `md5(device_id || '/' || epoch_ms(window_start) || '/${seed}')`
  return `(SELECT drawn.* FROM (
      SELECT *, row_number() OVER (
        PARTITION BY week, equipment, mode ORDER BY ${draw}, device_id, window_start) AS place
      FROM (SELECT *, ${stratumColumns.replace('equipment, ', '')} FROM ${judged}
        WHERE exclusion IS NULL)) AS drawn
    JOIN stratum_quotas AS stratum USING (week, equipment, mode)
    WHERE drawn.place <= stratum.quota)`
}

/** Start of the earliest window of a duration, or undefined without any. */
export async function firstWindowStart(
  connection: DuckDBConnection,
  source: FeatureSource,
  untilMs: number,
): Promise<number | undefined> {
  const read = await readNumericColumns(
    connection,
    `SELECT coalesce(epoch_ms(min(window_start)), -1)::DOUBLE
     FROM ${windowsIn(source, { startMs: 0, endMs: untilMs })}
     WHERE window_start < ${sqlInstant(untilMs)}`,
    { numberCount: 1, textCount: 0, expectedRows: 1 },
  )
  const first = read.values[0]!
  return first < 0 ? undefined : first
}
