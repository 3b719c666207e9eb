import { type FleetDefinition, featureColumns, quoteName } from '../contracts/index.ts'

const anyOf = (tests: readonly string[]) => (tests.length === 0 ? 'false' : tests.join(' OR '))
const numeric = (fleet: FleetDefinition) => fleet.sensors.filter(({ kind }) => kind !== 'boolean')

/** A value that is no number at all; the door refuses those, other writers may not. */
export const notFinite = (fleet: FleetDefinition) =>
  anyOf(numeric(fleet).map(({ name }) => `NOT isfinite(${quoteName(name)})`))

/** E2.4 with the widest range a sensor has: which class a device belongs to is cleansing's matter. */
export function outsideEveryRange(fleet: FleetDefinition): string {
  const tests = numeric(fleet).flatMap(({ name, range }) => {
    const ranges = [
      range,
      ...Object.values(fleet.rangeProfiles).map((profile) => profile[name]),
      fleet.idleBounds?.ranges[name],
    ].filter((found) => found !== undefined)
    if (ranges.length === 0) return []
    const low = Math.min(...ranges.map(([from]) => from))
    const high = Math.max(...ranges.map(([, to]) => to))
    return [`${quoteName(name)} NOT BETWEEN ${low} AND ${high}`]
  })
  return anyOf(tests)
}

/** E2.5: the flags are missing, or the nulls are not as counted. */
export function nullMiscount(fleet: FleetDefinition): string {
  const nulls = fleet.sensors.map(({ name }) => `(${quoteName(name)} IS NULL)::INTEGER`)
  return `quality_flags IS NULL OR sensor_null_count <> ${nulls.join(' + ')}`
}

/** E3.2 for one row of features. */
export function featureFault(fleet: FleetDefinition): string {
  const columns = featureColumns(fleet)
  const has = (aggregate: string) =>
    columns
      .filter(({ source }) => source.kind === 'aggregate' && source.aggregate === aggregate)
      .map(({ name }) => quoteName(name))
  const shares = ['sensor_completeness', ...has('fraction')].map(
    (column) => `${column} NOT BETWEEN 0 AND 1`,
  )
  const spreads = has('std').map((column) => `${column} < 0`)
  const ordered = fleet.sensors.flatMap(({ short, aggregates }) =>
    (
      [
        ['min', 'mean'],
        ['mean', 'max'],
        ['p95', 'max'],
      ] as const
    )
      .filter((pair) => pair.every((name) => aggregates.includes(name)))
      .map(([low, high]) => `${quoteName(`${short}_${low}`)} > ${quoteName(`${short}_${high}`)}`),
  )
  const finite = columns.map(({ name }) => `NOT isfinite(${quoteName(name)}::DOUBLE)`)
  return anyOf(['reading_count < 1', ...shares, ...spreads, ...ordered, ...finite])
}
