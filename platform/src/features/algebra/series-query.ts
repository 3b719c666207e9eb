import {
  type FeatureDefinition,
  type FleetDefinition,
  IsothermError,
  type Sensor,
  type SeriesFormula,
  unreachable,
} from '../../contracts/index.ts'
import { type ValueGrid, valueGrid } from '../value-grid.ts'
import type { Dialect } from './dialect.ts'

/** Readings of the windows whose series are looked at. */
export type SeriesSelection = {
  /** Clean rows. */
  readonly relation: string
  readonly minutes: number
  /** Half-open, epoch ms, window-aligned. */
  readonly startMs: number
  readonly endMs: number
}

const minuteMs = 60_000
/** Longest step between samples that is interpolated: two missing ones, FEA-38. */
export const maxSampleStep = 3
/** Least share of samples present, FEA-38. */
export const minSampleShare = 0.8

function sensorOf(fleet: FleetDefinition, name: string): Sensor {
  const sensor = fleet.sensors.find((one) => one.name === name)
  if (sensor === undefined) throw new IsothermError('NOT_FOUND', `no sensor ${name}`)
  return sensor
}

/** Readings in range with their window. */
function placed(dialect: Dialect, { relation, minutes, startMs, endMs }: SeriesSelection): string {
  const lengthMs = minutes * minuteMs
  const eventMs = dialect.epochMs('timestamp_utc')
  return `(SELECT *, ${eventMs} AS event_ms,
      ${dialect.quotient(eventMs, lengthMs)} * ${lengthMs} AS start_ms FROM ${relation}
    WHERE timestamp_utc >= ${dialect.instant(String(startMs))}
      AND timestamp_utc < ${dialect.instant(String(endMs))}) AS placed`
}

function valueSql(dialect: Dialect, sensor: Sensor, grid: ValueGrid): string {
  const steps = dialect.gridSteps(dialect.quote(sensor.name), grid)
  return `${dialect.double(steps)} / ${dialect.doubleLiteral(grid.scale)}`
}

function correlationQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  { left, right, minPairs }: Extract<SeriesFormula, { readonly kind: 'correlation' }>,
  selection: SeriesSelection,
): string {
  const [a, b] = [sensorOf(fleet, left), sensorOf(fleet, right)]
  const varies = (column: string, { resolution }: Sensor) =>
    `stddev_samp(${column}) >= ${resolution}`
  return `SELECT device_id, start_ms,
      CASE WHEN count(x) >= ${minPairs} AND ${varies('x', a)} AND ${varies('y', b)}
        THEN corr(x, y) END AS value
    FROM (SELECT device_id, start_ms,
        CASE WHEN is_pair THEN x END AS x, CASE WHEN is_pair THEN y END AS y
      FROM (SELECT device_id, start_ms, ${valueSql(dialect, a, valueGrid(fleet, a))} AS x,
          ${valueSql(dialect, b, valueGrid(fleet, b))} AS y,
          ${dialect.quote(left)} IS NOT NULL AND ${dialect.quote(right)} IS NOT NULL AS is_pair
        FROM ${placed(dialect, selection)}) AS marked) AS pairs
    GROUP BY device_id, start_ms`
}

function startsQuery(
  dialect: Dialect,
  { sensor, level }: Extract<SeriesFormula, { readonly kind: 'starts' }>,
  selection: SeriesSelection,
): string {
  const value = dialect.quote(sensor)
  return `SELECT device_id, start_ms,
      ${dialect.double(`sum(CASE WHEN before < ${level} AND now >= ${level} THEN 1 ELSE 0 END)`)} AS value
    FROM (SELECT device_id, start_ms, ${value} AS now, lag(${value}) OVER (
        PARTITION BY device_id, start_ms ORDER BY event_ms, event_id) AS before
      FROM ${placed(dialect, selection)} WHERE ${value} IS NOT NULL) AS ordered
    GROUP BY device_id, start_ms`
}

/** Samples of one per minute, straight lines through gaps of one or two, FEA-38. */
function samplesSql(
  dialect: Dialect,
  fleet: FleetDefinition,
  sensor: Sensor,
  selection: SeriesSelection,
): string {
  const n = selection.minutes
  const steps = dialect.gridSteps(dialect.quote(sensor.name), valueGrid(fleet, sensor))
  const scale = dialect.doubleLiteral(valueGrid(fleet, sensor).scale)
  return `minutely AS (SELECT device_id, start_ms,
        ${dialect.quotient('(event_ms - start_ms)', minuteMs)} AS t,
        ${dialect.double(`sum(${steps})`)} / (count(*) * ${scale}) AS y
      FROM ${placed(dialect, selection)} WHERE ${dialect.quote(sensor.name)} IS NOT NULL
      GROUP BY 1, 2, 3),
    stepped AS (SELECT *, (lead(t) OVER line) - t AS step, lead(y) OVER line AS next_y
      FROM minutely WINDOW line AS (PARTITION BY device_id, start_ms ORDER BY t)),
    whole AS (SELECT device_id, start_ms FROM stepped GROUP BY device_id, start_ms
      HAVING min(t) = 0 AND max(t) = ${n - 1} AND max(step) <= ${maxSampleStep}
        AND count(*) >= ${minSampleShare * n}),
    filled AS (SELECT device_id, start_ms, t + i AS t,
        CASE WHEN i = 0 THEN y ELSE y + (next_y - y) * i / step END AS y
      FROM (SELECT stepped.*, ${dialect.eachBelow('COALESCE(step, 1)')} AS i
        FROM stepped JOIN whole ON whole.device_id = stepped.device_id
          AND whole.start_ms = stepped.start_ms) AS spread)`
}

/** Spectrum of the samples without their straight line, under a Hann window. */
function spectrumSql(dialect: Dialect, resolution: number, n: number): string {
  const centre = dialect.doubleLiteral((n - 1) / 2)
  const spread = dialect.doubleLiteral((n * (n * n - 1)) / 12)
  const angle = `2 * pi() * (k * t % ${n}) / ${n}`
  return `lines AS (SELECT device_id, start_ms, avg(y) AS level,
        sum((t - ${centre}) * y) / ${spread} AS slope FROM filled GROUP BY device_id, start_ms),
    flat AS (SELECT filled.device_id, filled.start_ms, t,
        y - level - slope * (t - ${centre}) AS z
      FROM filled JOIN lines ON lines.device_id = filled.device_id
        AND lines.start_ms = filled.start_ms),
    alive AS (SELECT device_id, start_ms FROM flat GROUP BY device_id, start_ms
      HAVING stddev_samp(z) >= ${resolution}),
    hann AS (SELECT flat.device_id, flat.start_ms, t,
        z * (0.5 - 0.5 * cos(2 * pi() * t / ${n})) AS z
      FROM flat JOIN alive ON alive.device_id = flat.device_id
        AND alive.start_ms = flat.start_ms),
    bins AS (SELECT ${dialect.eachBelow(String(n / 2))} + 1 AS k),
    power AS (SELECT device_id, start_ms, k,
        CASE WHEN k = ${n / 2} THEN 1 ELSE 2 END
          * (pow(sum(z * cos(${angle})), 2) + pow(sum(z * sin(${angle})), 2)) AS p
      FROM hann CROSS JOIN bins GROUP BY device_id, start_ms, k),
    total AS (SELECT device_id, start_ms, sum(p) AS total,
        max(CASE WHEN k >= 2 THEN p END) AS peak FROM power GROUP BY device_id, start_ms)`
}

function spectralQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  { sensor: name, measure }: Extract<SeriesFormula, { readonly kind: 'spectral' }>,
  selection: SeriesSelection,
): string {
  const sensor = sensorOf(fleet, name)
  const n = selection.minutes
  const values = {
    entropy: `-sum(CASE WHEN p > 0 THEN p / total * ln(p / total) ELSE 0 END) / ${dialect.doubleLiteral(Math.log(n / 2))}`,
    dominant_frequency: `min(CASE WHEN p = peak AND k >= 2 THEN k END) / ${dialect.doubleLiteral(n)}`,
    // Whole numbers: 0.1 and 0.5 cycles/min are k = n/10 and n/2.
    short_cycle_ratio: `sum(CASE WHEN k * 10 >= ${n} AND k * 2 <= ${n} THEN p ELSE 0 END) / max(total)`,
  }
  return `WITH ${samplesSql(dialect, fleet, sensor, selection)},
    ${spectrumSql(dialect, sensor.resolution, n)}
    SELECT power.device_id, power.start_ms, ${values[measure]} AS value
    FROM power JOIN total ON total.device_id = power.device_id
      AND total.start_ms = power.start_ms
    GROUP BY power.device_id, power.start_ms`
}

/** Durations for which single readings are looked at, FEA-33 and FEA-38. */
const seriesMinutes = [60, 1440]

/**
 * SELECT (device_id, start_ms, value) of an experimental feature from clean rows; a window without a
 * row there, or with null, has no value. A daily spectrum costs a million products per device:
 * choose few devices.
 * @throws IsothermError INPUT_INVALID for windows other than 60 and 1,440 min
 */
export function seriesQuery(
  dialect: Dialect,
  fleet: FleetDefinition,
  { name, formula }: FeatureDefinition<SeriesFormula>,
  selection: SeriesSelection,
): string {
  if (!seriesMinutes.includes(selection.minutes)) {
    throw new IsothermError(
      'INPUT_INVALID',
      `feature ${name} needs windows of ${seriesMinutes.join(' or ')} min, not ${selection.minutes}`,
    )
  }
  switch (formula.kind) {
    case 'correlation':
      return correlationQuery(dialect, fleet, formula, selection)
    case 'starts':
      return startsQuery(dialect, formula, selection)
    case 'spectral':
      return spectralQuery(dialect, fleet, formula, selection)
    default:
      return unreachable(formula)
  }
}
