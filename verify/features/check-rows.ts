import type { DuckDBConnection } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { featureColumns } from 'isotherm/contracts'
import { type Dialect, duckdbDialect, liveRowFeatures, rowFeaturesQuery } from 'isotherm/features'
import type { Comparison } from './comparison.ts'
import {
  indexOf,
  naiveCohort,
  naiveDeviation,
  naiveLag,
  naiveMonth,
  naiveSeason,
  type StoredRow,
} from './naive-rows.ts'
import { cohortOf } from './stored-rows.ts'

const hourMs = 3_600_000
/** Resolution floors of FEA section 3 are small against this spread. */
const baseline = { mean: 47, std: 11.5 }

const sources = { rows: 'stored_rows', cohorts: 'cohorts', baselines: 'baselines' }

/** Names of the model-input features of a stored one. */
const familyNames = (stored: string) => [
  ...[1, 6, 24, 168].flatMap((k) => [`${stored}_lag${k}`, `${stored}_delta${k}`]),
  ...[`${stored}_roc6`, `${stored}_dev7d`, `${stored}_cohort_diff`, `${stored}_cohort_z`],
]

/** Query of the model-input features of one stored feature, in one dialect. */
export function rowQuery(dialect: Dialect, stored: string, endMs: number): string {
  const names = [
    ...familyNames(stored),
    ...(stored === 'temp_ambient_mean'
      ? ['season_sin', 'season_cos', 'temp_ambient_baseline_30d', 'temp_ambient_anomaly']
      : []),
  ]
  return rowFeaturesQuery(dialect, refrigeration, names, sources, {
    minutes: 60,
    startMs: endMs - 3 * hourMs,
    endMs,
  })
}

async function createTables(
  connection: DuckDBConnection,
  rows: readonly StoredRow[],
  stored: string,
): Promise<void> {
  const others = featureColumns(refrigeration).map(({ name }) =>
    name === stored ? `value AS ${name}` : `NULL::DOUBLE AS ${name}`,
  )
  const values = rows.map(
    ({ device, minutes, startMs, value }) =>
      `('${device}', ${minutes}, ${startMs}::BIGINT, ${value ?? 'NULL'}::DOUBLE)`,
  )
  await connection.run(`CREATE OR REPLACE TEMP TABLE stored_rows AS
    SELECT device_id, window_duration_minutes, make_timestamptz(start_ms * 1000) AS window_start,
      make_timestamptz((start_ms + window_duration_minutes * 60000) * 1000) AS window_end,
      ${others.join(', ')}
    FROM (VALUES ${values.join(', ')}) AS v(device_id, window_duration_minutes, start_ms, value)`)
  const devices = [...new Set(rows.map(({ device }) => device))]
  await connection.run(`CREATE OR REPLACE TEMP TABLE cohorts AS SELECT * FROM (VALUES
    ${devices.map((device) => `('${device}', '${cohortOf(device)}')`).join(', ')}) AS v(device_id, cohort_id)`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE baselines AS
    SELECT '${stored}' AS feature_name, 'small' AS cohort_id, 60 AS window_duration_minutes,
      ${baseline.mean}::DOUBLE AS baseline_mean, ${baseline.std}::DOUBLE AS baseline_std`)
}

/** What the text of FEA-24 to FEA-32 gives for one row. */
function naiveRow(rows: readonly StoredRow[], row: StoredRow, stored: string) {
  const at = indexOf(rows.filter(({ device }) => device === row.device))
  const lags = [1, 6, 24, 168].flatMap((k) => {
    const { lag, delta } = naiveLag(at, row, k)
    return [
      [`${stored}_lag${k}`, lag],
      [`${stored}_delta${k}`, delta],
    ] as const
  })
  const month = naiveMonth(rows, row)
  const [sin, cos] = naiveSeason(row.startMs + hourMs)
  const hasBaseline = row.value !== null && cohortOf(row.device) === 'small'
  return new Map<string, number | null>([
    ...lags,
    [`${stored}_roc6`, naiveLag(at, row, 6).roc],
    [`${stored}_dev7d`, naiveDeviation(rows, row)],
    [`${stored}_cohort_diff`, naiveCohort(rows, row, cohortOf)],
    [`${stored}_cohort_z`, hasBaseline ? ((row.value ?? 0) - baseline.mean) / baseline.std : null],
    ...(stored === 'temp_ambient_mean'
      ? ([
          ['season_sin', sin],
          ['season_cos', cos],
          ['temp_ambient_baseline_30d', month],
          ['temp_ambient_anomaly', row.value === null || month === null ? null : row.value - month],
        ] as const)
      : []),
  ])
}

/** Model-input features made of one stored feature: SQL, live form and naive form. */
export async function checkRows(
  connection: DuckDBConnection,
  rows: readonly StoredRow[],
  stored: string,
  endMs: number,
  comparison: Comparison,
): Promise<void> {
  await createTables(connection, rows, stored)
  const reader = await connection.runAndReadAll(
    `SELECT *, epoch_ms(window_start)::DOUBLE AS start_ms FROM (${rowQuery(duckdbDialect, stored, endMs)})`,
  )
  const found = new Map(
    reader.getRowObjectsJS().map((row) => [`${row.device_id} at ${row.start_ms}`, row]),
  )
  const at = indexOf(rows)
  const targets = rows.filter(
    ({ minutes, startMs }) => minutes === 60 && startMs >= endMs - 3 * hourMs,
  )
  comparison.same(`rows with features of ${stored}`, found.size, targets.length)
  for (const row of targets) {
    const key = `${row.device} at ${row.startMs}`
    const naive = naiveRow(rows, row, stored)
    const live = liveRowFeatures(refrigeration, [...naive.keys()], {
      minutes: 60,
      startMs: row.startMs,
      values: { [stored]: row.value },
      windowAt: (minutes, startMs) => ({ [stored]: at(row.device, minutes, startMs) }),
      cohort: () =>
        targets.flatMap(({ device, startMs, value }) =>
          startMs === row.startMs && value !== null && cohortOf(device) === cohortOf(row.device)
            ? [value]
            : [],
        ),
      baseline: () => (cohortOf(row.device) === 'small' ? baseline : undefined),
    })
    for (const [name, wanted] of naive) {
      comparison.close(`${name}, ${key}`, found.get(key)?.[name], wanted, 100)
      comparison.close(`${name}, ${key}, live`, live[name], wanted, 100)
    }
  }
}
