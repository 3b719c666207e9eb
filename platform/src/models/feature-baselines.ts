import type { DuckDBConnection } from '@duckdb/node-api'
import { type ColumnStatistics, columnStatistics, selectRows } from '@isotherm/anomaly'
import { quoteName } from '../contracts/index.ts'
import type { JobContext, WriteOutcome } from '../lake/index.ts'
import { appendColumns } from './append-columns.ts'
import { type FeatureRows, rowsWhere, selectColumns } from './feature-rows.ts'
import type { ModelManifest } from './model-manifest.ts'
import { distinctSorted } from './row-groups.ts'

/** Cohorts with fewer training rows get no baseline of their own: their deciles would be noise. */
const minCohortRows = 100

type ScopedStatistics = {
  readonly granularity: 'fleet' | 'cohort'
  readonly cohortId: string | null
  readonly statistics: ColumnStatistics
}

function scopedStatistics(
  rows: FeatureRows,
  features: readonly string[],
): readonly ScopedStatistics[] {
  const matrix = selectColumns(rows.matrix, features)
  const fleet = columnStatistics(matrix).map(
    (statistics): ScopedStatistics => ({ granularity: 'fleet', cohortId: null, statistics }),
  )
  const cohorts = distinctSorted(rows.cohortIds).flatMap((cohortId) => {
    const members = rowsWhere(matrix.rowCount, (row) => rows.cohortIds[row] === cohortId)
    if (members.length < minCohortRows) return []
    return columnStatistics(selectRows(matrix, members)).map(
      (statistics): ScopedStatistics => ({ granularity: 'cohort', cohortId, statistics }),
    )
  })
  // A feature without any value has no baseline; CON-21 knows no null percentile.
  return [...fleet, ...cohorts].filter(({ statistics }) => statistics.nullFraction < 1)
}

const numbers = [
  ['baseline_mean', 'mean'],
  ['baseline_std', 'std'],
  ['baseline_p05', 'p05'],
  ['baseline_p25', 'p25'],
  ['baseline_p50', 'p50'],
  ['baseline_p75', 'p75'],
  ['baseline_p95', 'p95'],
  ['min', 'min'],
  ['max', 'max'],
  ['mad', 'mad'],
  ['null_fraction', 'nullFraction'],
  ['n_rows', 'rowCount'],
] as const

async function stageBaselines(
  connection: DuckDBConnection,
  scoped: readonly ScopedStatistics[],
): Promise<void> {
  const columns = numbers.map(([name]) => `${quoteName(name)} DOUBLE`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE staged_baselines (
    feature_name VARCHAR, granularity VARCHAR, cohort_id VARCHAR,
    psi_edges VARCHAR, psi_fractions VARCHAR, quantiles VARCHAR, ${columns.join(', ')})`)
  const texts = (of: (item: ScopedStatistics) => string | null) =>
    ({ kind: 'values', values: scoped.map(of) }) as const
  await appendColumns(connection, 'staged_baselines', [
    texts(({ statistics }) => statistics.name),
    texts(({ granularity }) => granularity),
    texts(({ cohortId }) => cohortId),
    texts(({ statistics: { psi } }) =>
      psi?.bins.kind === 'edges' ? JSON.stringify([...psi.bins.edges]) : null,
    ),
    texts(({ statistics: { psi } }) =>
      psi === undefined ? null : JSON.stringify([...psi.fractions]),
    ),
    texts(({ statistics }) => JSON.stringify([...statistics.quantiles])),
    ...numbers.map(
      ([, field]) =>
        ({
          kind: 'doubles',
          values: Float64Array.from(scoped, ({ statistics }) => statistics[field]),
        }) as const,
    ),
  ])
}

/**
 * Writes the baselines of a model version (FEA-61, CON-21), once: the position of the commit is the
 * version itself, so a second run writes nothing.
 */
export async function writeFeatureBaselines(
  { lake, nowMs }: JobContext,
  manifest: ModelManifest,
  rows: FeatureRows,
): Promise<WriteOutcome> {
  const { modelId, durationMinutes, modelVersion, training } = manifest
  const appId = `models/baselines/${modelId}/${durationMinutes}/${modelVersion}`
  const table = lake.table('feature_baselines')
  if ((await table.position(appId)) !== undefined) return { kind: 'repeated' }
  return lake.withConnection(async (connection) => {
    await stageBaselines(connection, scopedStatistics(rows, manifest.features))
    const exact = numbers.map(([name]) => quoteName(name)).filter((name) => name !== '"n_rows"')
    return table.write({
      connection,
      query: `SELECT feature_name, granularity, cohort_id, NULL::VARCHAR AS device_id,
          ${exact.join(', ')}, n_rows::BIGINT AS n_rows,
          epoch_ms(${nowMs})::TIMESTAMP AT TIME ZONE 'UTC' AS computed_at,
          epoch_ms(${training.startMs})::TIMESTAMP AT TIME ZONE 'UTC' AS training_window_start,
          epoch_ms(${training.endMs})::TIMESTAMP AT TIME ZONE 'UTC' AS training_window_end,
          ${durationMinutes}::INTEGER AS window_duration_minutes,
          '${modelId}' AS model_id, '${modelVersion}' AS model_version,
          from_json(psi_edges, '["DOUBLE"]') AS psi_edges,
          from_json(psi_fractions, '["DOUBLE"]') AS psi_fractions,
          from_json(quantiles, '["DOUBLE"]') AS quantiles
        FROM staged_baselines`,
      positions: [{ appId, version: 1 }],
      operation: 'BASELINES',
      nowMs,
    })
  })
}
