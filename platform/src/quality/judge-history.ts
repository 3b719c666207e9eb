import type { DuckDBConnection } from '@duckdb/node-api'
import { type Slice, sqlInstant, timeSpan } from '../clean/index.ts'
import { quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'
import type { Expectation } from './expectation.ts'
import type { GateResult } from './gate-entry.ts'
import { beyondTraining } from './judge-bounds.ts'
import type { JudgeInput } from './judge-job.ts'

/** What a comparison with the past reads. */
export type HistoryContext = {
  readonly connection: DuckDBConnection
  readonly lake: Lake
  readonly expectations: readonly Expectation[]
  /** The new rows of the table judged. */
  readonly relation: string
  readonly slices: readonly Slice[]
  readonly input: JudgeInput
}

type Figure = {
  readonly slice: number
  readonly value: number
  readonly rowCount: number
  readonly detail?: string
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

async function rowsOf(connection: DuckDBConnection, query: string) {
  return (await connection.runAndReadAll(query)).getRowsJS()
}

/** Rows of a side table that arrived while the judged rows did, as a share of both, per slice. */
async function besides(context: HistoryContext, table: string): Promise<readonly Figure[]> {
  const { connection, lake, relation } = context
  const other = lake.table(table)
  const rows = await rowsOf(
    connection,
    `WITH span AS (SELECT min(timestamp_ingested) AS low, max(timestamp_ingested) AS high
        FROM ${relation}),
      good AS (SELECT slice, count(*) AS n FROM ${relation} JOIN device_slices
        ON registered_id = device_id GROUP BY slice),
      aside AS (SELECT slice, count(*) AS n FROM ${other.relation(await other.snapshot())} AS aside
        JOIN device_slices ON registered_id = aside.device_id, span
        WHERE timestamp_ingested BETWEEN low AND high GROUP BY slice)
    SELECT coalesce(good.slice, aside.slice), coalesce(good.n, 0)::DOUBLE,
      coalesce(aside.n, 0)::DOUBLE FROM good FULL JOIN aside ON good.slice = aside.slice`,
  )
  return rows.map(([slice, good, aside]) => {
    const total = Number(good) + Number(aside)
    return { slice: Number(slice), value: Number(aside) / Math.max(1, total), rowCount: total }
  })
}

/** E1.6: a handful of letters is no share. */
async function deadLetters(context: HistoryContext): Promise<readonly Figure[]> {
  const figures = await besides(context, 'dead_letter_messages')
  return figures.map((figure) =>
    figure.value * figure.rowCount < 10 ? { ...figure, value: 0 } : figure,
  )
}

/** E2.8: the sensor that is missing most beyond its mean of the last week, per slice. */
async function missingSensors(context: HistoryContext): Promise<readonly Figure[]> {
  const { connection, lake, relation, slices, input } = context
  const summary = lake.table('data_quality_daily_summary')
  const from = new Date(input.nowMs - 7 * dayMs).toISOString().slice(0, 10)
  const today = new Date(input.nowMs).toISOString().slice(0, 10)
  const past = await rowsOf(
    connection,
    `SELECT site_id, firmware_version, measure, sum(row_count)::DOUBLE
      FROM ${summary.relation(await summary.snapshot())}
      WHERE date >= '${from}' AND date < '${today}'
        AND (measure = 'readings' OR starts_with(measure, 'null:')) GROUP BY ALL`,
  )
  const counts = new Map(
    past.map(([site, firmware, measure, count]) => [
      JSON.stringify([site, firmware, measure]),
      Number(count),
    ]),
  )
  const sensors = lake.fleet.sensors.map(({ name }) => name)
  const rows = await rowsOf(
    connection,
    `SELECT slice, count(*)::DOUBLE,
        ${sensors.map((name) => `count_if(${quoteName(name)} IS NULL)::DOUBLE`).join(', ')}
      FROM ${relation} JOIN device_slices ON registered_id = device_id GROUP BY slice`,
  )
  return rows.map(([index, count, ...nulls]) => {
    const slice = slices[Number(index)]
    const pastCount = (measure: string) =>
      counts.get(JSON.stringify([slice?.siteId, slice?.firmware, measure])) ?? 0
    const before = pastCount('readings')
    let worst: { readonly value: number; readonly detail?: string } = { value: 0 }
    sensors.forEach((name, sensor) => {
      if (before === 0) return
      const value = Number(nulls[sensor]) / Number(count) - pastCount(`null:${name}`) / before
      if (value > worst.value) worst = { value, detail: name }
    })
    return { slice: Number(index), rowCount: Number(count), ...worst }
  })
}

/** E2.9: how much of yesterday's rows of the same hour is missing in the newest whole hour. */
async function missingRows(context: HistoryContext): Promise<readonly Figure[]> {
  const { connection, lake, relation } = context
  const [newest] = await rowsOf(
    connection,
    `SELECT max(epoch_ms(timestamp_utc))::DOUBLE FROM ${relation}`,
  )
  const endMs = Math.floor(Number(newest?.[0]) / hourMs) * hourMs
  if (!Number.isFinite(endMs)) return []
  const clean = lake.table('clean_sensor_readings')
  const snapshot = await clean.snapshot()
  const spans = [
    [endMs - hourMs, endMs],
    [endMs - hourMs - dayMs, endMs - dayMs],
  ] as const
  const files = snapshot.files.filter((file) => {
    const { minMs, maxMs } = timeSpan(file, 'timestamp_utc')
    return spans.some(([from, to]) => minMs < to && maxMs >= from)
  })
  if (files.length === 0) return []
  const [now, then] = spans.map(
    ([from, to]) =>
      `count_if(timestamp_utc >= ${sqlInstant(from)} AND timestamp_utc < ${sqlInstant(to)})::DOUBLE`,
  )
  const rows = await rowsOf(
    connection,
    `SELECT slice, ${now}, ${then} FROM ${clean.relation(snapshot, files)}
      JOIN device_slices ON registered_id = device_id GROUP BY slice`,
  )
  return rows.flatMap(([slice, current, before]) =>
    Number(before) === 0
      ? []
      : [
          {
            slice: Number(slice),
            value: Math.max(0, 1 - Number(current) / Number(before)),
            rowCount: Number(before),
          },
        ],
  )
}

/** E5.3: devices that have the newest window but no score of it, per slice. */
async function missingScores(context: HistoryContext): Promise<readonly Figure[]> {
  const { connection, lake, relation } = context
  const features = lake.table('device_features')
  const snapshot = await features.snapshot()
  const [oldest] = await rowsOf(
    connection,
    `SELECT min(start)::DOUBLE FROM (SELECT epoch_ms(max(window_start)) AS start
      FROM ${relation} GROUP BY window_duration_minutes)`,
  )
  const files = snapshot.files.filter(
    (file) => timeSpan(file, 'window_start').maxMs >= Number(oldest?.[0]),
  )
  if (files.length === 0) return []
  const rows = await rowsOf(
    connection,
    `WITH newest AS (SELECT window_duration_minutes AS minutes, max(window_start) AS start
        FROM ${relation} GROUP BY ALL),
      scored AS (SELECT DISTINCT device_id FROM ${relation}, newest
        WHERE window_duration_minutes = minutes AND window_start = start),
      due AS (SELECT DISTINCT device_id
        FROM ${features.relation(snapshot, files)}, newest
        WHERE window_duration_minutes = minutes AND window_start = start
          AND sensor_completeness >= 0.5)
    SELECT slice, count(*)::DOUBLE,
      count_if(due.device_id NOT IN (SELECT device_id FROM scored))::DOUBLE
    FROM due JOIN device_slices ON registered_id = due.device_id GROUP BY slice`,
  )
  return rows.map(([slice, count, missing]) => ({
    slice: Number(slice),
    value: Number(missing) / Number(count),
    rowCount: Number(count),
  }))
}

const comparisons: Readonly<
  Record<string, (context: HistoryContext) => Promise<readonly Figure[]>>
> = {
  'E1.2': (context) => besides(context, 'removed_duplicates'),
  'E1.6': deadLetters,
  'E2.8': missingSensors,
  'E2.9': missingRows,
  'E3.3': ({ connection, lake, relation }) => beyondTraining(connection, lake, relation, 'usual'),
  'E3.4': ({ connection, lake, relation }) => beyondTraining(connection, lake, relation, 'extreme'),
  'E5.3': missingScores,
}

/** Judges the expectations of a table that compare a slice with its own past or with other tables. */
export async function judgeHistory(context: HistoryContext): Promise<readonly GateResult[]> {
  const results: GateResult[] = []
  for (const { id, table, severity, judgedBy, limit = 0, minRows = 1 } of context.expectations) {
    const compare = comparisons[id]
    if (judgedBy.kind !== 'history' || compare === undefined) continue
    for (const { slice: index, value, rowCount, detail } of await compare(context)) {
      const slice = context.slices[index]
      if (slice === undefined || rowCount < minRows) continue
      const isPassed = value <= limit
      results.push({
        ...{ gateId: id, table, severity, isPassed, value, limit, rowCount },
        scope: { siteId: slice.siteId, firmware: slice.firmware },
        holds: 'nothing',
        ...(detail !== undefined && !isPassed && { detail }),
      })
    }
  }
  return results
}
