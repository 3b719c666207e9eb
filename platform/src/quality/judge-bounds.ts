import type { DuckDBConnection } from '@duckdb/node-api'
import { featureColumns, quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'

/** Bounds of a feature from the newest training of its duration; null where a spread is missing. */
type FeatureBounds = {
  readonly feature: string
  readonly minutes: number
  /** P0.1 and P99.9, E3.3. */
  readonly usual: readonly [number, number]
  /** P25 - 10 IQR and P75 + 10 IQR, E3.4; absent when the IQR is zero. */
  readonly extreme?: readonly [number, number]
}

/** Faults of each slice: values (E3.3) or rows (E3.4) beyond the bounds, and of how many. */
export type BoundFigure = {
  readonly slice: number
  readonly value: number
  readonly rowCount: number
  readonly detail?: string
}

async function readBounds(
  connection: DuckDBConnection,
  lake: Lake,
): Promise<readonly FeatureBounds[]> {
  const table = lake.table('feature_baselines')
  const known = new Set(featureColumns(lake.fleet).map(({ name }) => name))
  // 201 even quantiles: the first and last step span half a percent, a fifth of it is 0.1 %.
  const reader = await connection.runAndReadAll(`SELECT feature_name, window_duration_minutes,
      arg_max([quantiles[1] + 0.2 * (quantiles[2] - quantiles[1]),
        quantiles[-1] - 0.2 * (quantiles[-1] - quantiles[-2]),
        baseline_p25, baseline_p75], computed_at)
    FROM ${table.relation(await table.snapshot())}
    WHERE granularity = 'fleet' AND len(quantiles) > 2 GROUP BY ALL`)
  return reader.getRowsJS().flatMap(([feature, minutes, bounds]) => {
    const [low, high, p25, p75] = (bounds ?? []) as readonly (number | null)[]
    const isUsable = typeof low === 'number' && typeof high === 'number'
    if (!known.has(String(feature)) || !isUsable || !Number.isFinite(low + high)) return []
    const iqr = Number(p75) - Number(p25)
    return [
      {
        feature: String(feature),
        minutes: Number(minutes),
        usual: [low, high] as const,
        ...(iqr > 0 && { extreme: [Number(p25) - 10 * iqr, Number(p75) + 10 * iqr] as const }),
      },
    ]
  })
}

/**
 * Compares new feature rows with what the models were trained on. Without a trained model there is
 * nothing to compare with.
 * @param kind `usual` counts values outside P0.1 to P99.9; `extreme` counts rows with any value beyond
 *   10 IQR, which are kept and scored: they are what the models are to find
 */
export async function beyondTraining(
  connection: DuckDBConnection,
  lake: Lake,
  relation: string,
  kind: 'usual' | 'extreme',
): Promise<readonly BoundFigure[]> {
  const bounds = (await readBounds(connection, lake)).flatMap(({ feature, minutes, ...both }) => {
    const range = both[kind]
    return range === undefined ? [] : [{ feature, minutes, range }]
  })
  if (bounds.length === 0) return []
  const features = [...new Set(bounds.map(({ feature }) => feature))]
  const outside = features.map((feature) => {
    const cases = bounds
      .filter((one) => one.feature === feature)
      .map(
        ({ minutes, range: [low, high] }) =>
          `WHEN ${minutes} THEN ${quoteName(feature)} NOT BETWEEN ${low} AND ${high}`,
      )
    return `coalesce(CASE window_duration_minutes ${cases.join(' ')} END, false)`
  })
  const durations = [...new Set(bounds.map(({ minutes }) => minutes))].join(', ')
  const reader = await connection.runAndReadAll(`SELECT slice, count(*)::DOUBLE,
      count_if(${outside.join(' OR ')})::DOUBLE,
      ${outside.map((test) => `count_if(${test})::DOUBLE`).join(', ')}
    FROM ${relation} JOIN device_slices ON registered_id = device_id
    WHERE window_duration_minutes IN (${durations}) GROUP BY slice`)
  return reader.getRowsJS().map(([slice, count, rows, ...counts]) => {
    const rowCount = Number(count)
    const values = counts.map(Number)
    const total = values.reduce((sum, one) => sum + one, 0)
    const worst = values.indexOf(Math.max(...values))
    return {
      slice: Number(slice),
      value: kind === 'usual' ? total / (rowCount * features.length) : Number(rows) / rowCount,
      rowCount,
      ...(total > 0 && { detail: features[worst] ?? '' }),
    }
  })
}
