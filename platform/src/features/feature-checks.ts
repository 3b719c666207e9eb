import { type FleetDefinition, featureColumns, quoteName } from '../contracts/index.ts'

/** One FAIL check on feature rows: a SQL condition that is true for a bad row. */
type FeatureCheck = { readonly id: string; readonly fault: string }

/** The FAIL checks of FEA-23 and E3.1, E3.2 that look at one row. */
export function featureChecks(fleet: FleetDefinition): readonly FeatureCheck[] {
  const columns = featureColumns(fleet)
  const fractions = columns
    .filter(({ source }) => source.kind === 'aggregate' && source.aggregate === 'fraction')
    .map(({ name }) => quoteName(name))
  const outside = ['sensor_completeness', ...fractions].map(
    (column) => `${column} NOT BETWEEN 0 AND 1`,
  )
  const pairs = (low: string, high: string) =>
    fleet.sensors
      .filter(({ aggregates }) =>
        [low, high].every((name) => aggregates.some((aggregate) => aggregate === name)),
      )
      .map(({ short }) => `${quoteName(`${short}_${low}`)} > ${quoteName(`${short}_${high}`)}`)
  const spreads = columns
    .filter(({ source }) => source.kind === 'aggregate' && source.aggregate === 'std')
    .map(({ name }) => `${quoteName(name)} < 0`)
  const numbers = columns.map(({ name }) => `NOT isfinite(${quoteName(name)}::DOUBLE)`)
  const oneOf = (conditions: readonly string[]) => conditions.join(' OR ') || 'false'
  return [
    {
      id: 'E3.1 (aligned window)',
      fault: `window_start >= window_end
        OR epoch_ms(window_end) - epoch_ms(window_start) <> window_duration_minutes * 60000
        OR epoch_ms(window_start) % (window_duration_minutes * 60000) <> 0`,
    },
    { id: 'E3.2 (reading_count > 0)', fault: 'reading_count < 1' },
    { id: 'E3.2 (shares between 0 and 1)', fault: oneOf(outside) },
    { id: 'E3.2 (spread not negative)', fault: oneOf(spreads) },
    {
      id: 'E3.2 (min <= mean <= max)',
      fault: oneOf([
        ...pairs('min', 'mean'),
        ...pairs('mean', 'max'),
        ...pairs('min', 'max'),
        ...pairs('p95', 'max'),
      ]),
    },
    { id: 'E3.2 (finite)', fault: oneOf(numbers) },
  ]
}

/** SELECT of one row with the number of faults per check, in order, then of repeated keys. */
export function faultCounts(checks: readonly FeatureCheck[], table: string): string {
  const counts = checks.map(({ fault }) => `count_if(${fault})::DOUBLE`)
  return `SELECT ${counts.join(', ')},
      (SELECT count(*)::DOUBLE FROM (FROM ${table}
        SELECT device_id, window_start, window_duration_minutes
        GROUP BY ALL HAVING count(*) > 1))
    FROM ${table}`
}
