import type { DuckDBConnection } from '@duckdb/node-api'
import { type DeviceRow, featureColumns, IsothermError, quoteName } from '../contracts/index.ts'
import { computeRange, windowRules } from '../features/index.ts'
import type { JobContext, Lake } from '../lake/index.ts'
import {
  type AcceptanceRows,
  type GeneralResult,
  judgeColumn,
  type PredictiveResult,
} from './acceptance-judgement.ts'
import { type HistorySource, historySource, requireFilled } from './history-source.ts'
import { computeKnownWindows, pendingHistory } from './known-windows.ts'

import { dayMs } from './retention.ts'
import { judgedWindows } from './training-query.ts'

/** Which feature to judge on which data. */
export type AcceptanceRequest = {
  readonly feature: string
  readonly durationMinutes: number
  /** Training windows start from here and end by `cutMs`. */
  readonly fromMs: number
  readonly cutMs: number
  /** Validation windows start a gap after the cut and end by then. */
  readonly untilMs: number
  /** Default 7 days, FEA-17; less where there is less history. */
  readonly gapDays?: number
  readonly devices: readonly DeviceRow[]
  readonly seed: number
  /** Monotonic milliseconds. */
  readonly stopwatch: () => number
}

/** FEA-72 and FEA-49: computed again from the readings that had arrived. */
export type AvailableResult = {
  readonly checkedCount: number
  readonly differingCount: number
  readonly passes: boolean
}

/** FEA-73, from the newest window, in proportion to 100,000 devices. */
export type FastResult = {
  readonly deviceCount: number
  readonly seconds: number
  readonly secondsAt100000: number
  /** A small fleet's fixed cost says nothing of a large one: then only a pass is a verdict. */
  readonly passes: boolean | null
}

/** The four answers of FEA-71 to FEA-74; `null` is undecided for want of data. */
export type AcceptanceReport = {
  readonly feature: string
  readonly featureVersion: string
  readonly snapshotId: string
  readonly trainingRowCount: number
  readonly validationRowCount: number
  readonly predictive: PredictiveResult
  readonly available: AvailableResult
  readonly fast: FastResult | null
  readonly general: GeneralResult
  /** Accepted only when all four pass. */
  readonly verdict: 'accepted' | 'rejected' | 'undecided'
}

const maxRows = 200_000
const maxChecked = 1000
/** FEA-73. */
const maxSeconds = 1800
const minJudgedDevices = 1000

async function readRows(
  connection: DuckDBConnection,
  columns: readonly string[],
  where: string,
  devices: readonly DeviceRow[],
): Promise<AcceptanceRows> {
  const read = await connection.runAndReadAll(`SELECT device_id, epoch_ms(window_start)::DOUBLE,
      is_labelled AND label IN ('pre_failure', 'anomaly_confirmed'),
      ${columns.map((name) => `${quoteName(name)}::DOUBLE`).join(', ')}
    FROM judged WHERE exclusion IS NULL AND ${where}
    ORDER BY md5(device_id || epoch_ms(window_start)) LIMIT ${maxRows}`)
  const rows = read.getRowsJS()
  const models = new Map(devices.map((row) => [row.device_id, row.model]))
  const width = columns.length
  const values = new Float64Array(rows.length * width)
  for (const [row, cells] of rows.entries()) {
    for (let column = 0; column < width; column++) {
      const cell = cells[3 + column]
      values[row * width + column] = typeof cell === 'number' ? cell : Number.NaN
    }
  }
  return {
    columnNames: columns,
    rowCount: rows.length,
    values,
    isAnomalous: rows.map((cells) => (cells[2] === true ? true : undefined)),
    cohorts: rows.map((cells) => models.get(String(cells[0])) ?? 'unknown'),
    windowStartMs: Float64Array.from(rows, (cells) => Number(cells[1])),
  }
}

/** Computes a day's states again and compares the feature bit for bit with the history. */
async function checkAvailable(
  { lake, nowMs }: JobContext,
  connection: DuckDBConnection,
  source: HistorySource,
  request: AcceptanceRequest,
): Promise<AvailableResult> {
  const rules = windowRules(lake.fleet).filter(({ minutes }) => minutes === request.durationMinutes)
  const clean = lake.table('clean_sensor_readings')
  const startMs = Math.floor((request.cutMs - dayMs) / dayMs) * dayMs
  const span = { startMs, endMs: startMs + dayMs }
  await computeKnownWindows(
    {
      connection,
      fleet: lake.fleet,
      devices: request.devices,
      clean,
      cleanSnapshot: await clean.snapshot(),
      features: lake.table('device_features'),
      nowMs,
    },
    source.table,
    rules,
    span,
  )
  const column = quoteName(request.feature)
  const kept = source.table.relation(source.snapshot)
  const read = await connection.runAndReadAll(`SELECT count(*)::DOUBLE,
      count_if(again.device_id IS NULL OR again.${column} IS DISTINCT FROM stored.${column})::DOUBLE
    FROM (SELECT * FROM ${kept} WHERE feature_version = '${source.featureVersion}'
        AND window_duration_minutes = ${request.durationMinutes}
        AND window_start >= make_timestamptz(${span.startMs * 1000})
        AND window_start < make_timestamptz(${span.endMs * 1000})
      ORDER BY md5(device_id || epoch_ms(known_from)) LIMIT ${maxChecked}) AS stored
    LEFT JOIN ${pendingHistory} AS again USING (device_id, window_start, known_from)`)
  const [checked, differing] = (read.getRowsJS()[0] ?? []).map(Number)
  return {
    checkedCount: checked ?? 0,
    differingCount: differing ?? 0,
    passes: (checked ?? 0) > 0 && differing === 0,
  }
}

async function measureFast(
  { lake, nowMs }: JobContext,
  connection: DuckDBConnection,
  { durationMinutes, devices, stopwatch }: AcceptanceRequest,
): Promise<FastResult | null> {
  const newest = await connection.runAndReadAll(
    'SELECT epoch_ms(max(window_end))::DOUBLE FROM judged',
  )
  const endMs = Number(newest.getRows()[0]?.[0] ?? Number.NaN)
  if (Number.isNaN(endMs)) return null
  const clean = lake.table('clean_sensor_readings')
  const begin = stopwatch()
  const computed = await computeRange({
    connection,
    fleet: lake.fleet,
    devices,
    clean,
    cleanSnapshot: await clean.snapshot(),
    features: lake.table('device_features'),
    durationMinutes,
    startMs: endMs - durationMinutes * 60_000,
    endMs,
    nowMs,
  })
  const read = await connection.runAndReadAll(`SELECT count(*)::DOUBLE FROM ${computed}`)
  const deviceCount = Number(read.getRows()[0]?.[0])
  if (deviceCount === 0) return null
  const seconds = (stopwatch() - begin) / 1000
  const secondsAt100000 = seconds * Math.max(1, 100_000 / deviceCount)
  const isJudged = secondsAt100000 <= maxSeconds || deviceCount >= minJudgedDevices
  const passes = isJudged ? secondsAt100000 <= maxSeconds : null
  return { deviceCount, seconds, secondsAt100000, passes }
}

function verdictOf(report: Omit<AcceptanceReport, 'verdict'>): AcceptanceReport['verdict'] {
  const { predictive, available, fast, general } = report
  const passes = [predictive.passes, available.passes, fast?.passes ?? null, general.passes]
  if (passes.includes(false)) return 'rejected'
  return passes.includes(null) ? 'undecided' : 'accepted'
}

async function judgedRows(
  lake: Lake,
  connection: DuckDBConnection,
  source: HistorySource,
  request: AcceptanceRequest,
  nowMs: number,
) {
  const labels = lake.table('label_events')
  const rule = {
    span: { startMs: request.fromMs, endMs: request.untilMs },
    cutMs: request.untilMs,
    asOfMs: nowMs,
    bufferHours: 0,
    maxAgeHours: 48,
    minCompleteness: 0.5,
  }
  const relation = labels.relation(await labels.snapshot())
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE judged AS ${judgedWindows(source, relation, rule)}`,
  )
}

/**
 * Judges a feature by FEA-71 to FEA-74 on the history: predictive, available, fast, general. A
 * failing feature leaves model input, not storage (FEA-75).
 * @throws IsothermError INPUT_INVALID for an unknown feature, days not filled, or no rows
 */
export async function acceptanceReport(
  context: JobContext,
  request: AcceptanceRequest,
): Promise<AcceptanceReport> {
  const { lake, nowMs } = context
  const { feature, durationMinutes, fromMs, cutMs, untilMs, gapDays = 7, devices, seed } = request
  const columns = featureColumns(lake.fleet).map(({ name }) => name)
  const refuse = (reason: string) => new IsothermError('INPUT_INVALID', `acceptance: ${reason}`)
  if (!columns.includes(feature)) throw refuse(`there is no feature ${feature}`)
  const source = await historySource(lake, { durationMinutes })
  requireFilled(source, { startMs: fromMs, endMs: untilMs })
  return await lake.withConnection(async (connection) => {
    await judgedRows(lake, connection, source, request, nowMs)
    const instant = (ms: number) => `make_timestamptz(${ms * 1000})`
    const training = await readRows(
      connection,
      columns,
      `window_end <= ${instant(cutMs)} AND NOT coalesce(is_labelled, false)`,
      devices,
    )
    const validation = await readRows(
      connection,
      columns,
      `window_start >= ${instant(cutMs + gapDays * dayMs)}`,
      devices,
    )
    if (training.rowCount < 30 || validation.rowCount < 30) {
      throw refuse(
        `${training.rowCount} training and ${validation.rowCount} validation rows, at least 30 ` +
          'each; take more days or a smaller gap',
      )
    }
    const judged = judgeColumn(feature, training, validation, seed)
    const report = {
      feature,
      featureVersion: source.featureVersion,
      snapshotId: `feature_history@v${source.snapshot.version}`,
      trainingRowCount: training.rowCount,
      validationRowCount: validation.rowCount,
      predictive: judged.predictive,
      available: await checkAvailable(context, connection, source, request),
      fast: await measureFast(context, connection, request),
      general: judged.general,
    }
    return { ...report, verdict: verdictOf(report) }
  })
}
