import { parseStatistics } from '@isotherm/delta'
import { featureColumns, quoteName } from '../contracts/index.ts'
import type { Lake } from '../lake/index.ts'

/** How a stored feature is spread over the fleet in the newest window. */
export type FeatureSpread = {
  readonly name: string
  readonly nullFraction: number
  /** Lowest, 5th, 25th, 50th, 75th, 95th percentile and highest; null when all values are. */
  readonly quantiles: readonly number[] | null
}

/** Spread of all stored features over one window. */
export type FeatureDistribution = {
  readonly minutes: number
  readonly windowEndMs: number
  readonly rowCount: number
  readonly spreads: readonly FeatureSpread[]
}

const shares = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]

/**
 * Distribution of the stored features in the newest window of a duration; undefined before the
 * first. Reads the files of that window alone.
 */
export async function featureDistribution(
  lake: Lake,
  minutes: number,
): Promise<FeatureDistribution | undefined> {
  const table = lake.table('device_features')
  const snapshot = await table.snapshot()
  const newestOf = (file: (typeof snapshot.files)[number]) =>
    Date.parse(String(parseStatistics(file)?.maxValues.get('window_end')))
  const files = snapshot.files.filter(
    (file) => file.partitionValues.window_duration_minutes === String(minutes),
  )
  const windowEndMs = Math.max(...files.map(newestOf))
  if (!Number.isFinite(windowEndMs)) return undefined
  const newest = files.filter((file) => newestOf(file) === windowEndMs)
  const columns = featureColumns(lake.fleet)
  const sums = columns.flatMap(({ name }, index) => [
    `count(${quoteName(name)})::DOUBLE AS n_${index}`,
    `quantile_cont(${quoteName(name)}::DOUBLE, [${shares.join(', ')}]) AS q_${index}`,
  ])
  return await lake.withConnection(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT count(*)::DOUBLE AS total, ${sums.join(', ')}
       FROM ${table.relation(snapshot, newest)}
       WHERE epoch_ms(window_end) = ${windowEndMs}`,
    )
    const [row] = reader.getRowObjectsJS()
    const rowCount = Number(row?.total ?? 0)
    const spreads = columns.map(({ name }, index) => {
      const quantiles = row?.[`q_${index}`]
      const nullFraction = rowCount === 0 ? 1 : 1 - Number(row?.[`n_${index}`]) / rowCount
      return {
        name,
        nullFraction,
        quantiles: Array.isArray(quantiles) ? quantiles.map(Number) : null,
      }
    })
    return { minutes, windowEndMs, rowCount, spreads }
  })
}
