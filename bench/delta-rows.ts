import { type ColumnData, columns, type DeltaSchema } from '@isotherm/delta'

const gaugeNames = Array.from({ length: 14 }, (_, i) => `gauge_${i}`)

/** Twenty columns: an id, a time, counters, fourteen gauges, a flag. */
export const wideSchema: DeltaSchema = columns({
  device_id: 'string',
  event_time: 'timestamp',
  sequence: 'long',
  ...Object.fromEntries(gaugeNames.map((name) => [name, 'double' as const])),
  starts: 'integer',
  runtime_s: 'long',
  door_open: 'boolean',
})

/** Rows `first`.. of a fleet of a thousand devices, column by column. */
export function wideColumns(rowCount: number, first = 0): Readonly<Record<string, ColumnData>> {
  const rows = Array.from({ length: rowCount }, (_, i) => first + i)
  const gauge = (n: number) =>
    Float64Array.from(rows, (row) => Math.round(1000 * (n + 5 * Math.sin(row / (100 + n)))) / 1000)
  return {
    device_id: rows.map((row) => `device-${String(row % 1000).padStart(4, '0')}`),
    event_time: BigInt64Array.from(rows, (row) => 1_763_683_200_000_000n + BigInt(row) * 1000n),
    sequence: BigInt64Array.from(rows, BigInt),
    ...Object.fromEntries(gaugeNames.map((name, n) => [name, gauge(n)])),
    starts: Int32Array.from(rows, (row) => row % 97),
    runtime_s: BigInt64Array.from(rows, (row) => BigInt(row % 86_400)),
    door_open: Uint8Array.from(rows, (row) => (row % 50 === 0 ? 1 : 0)),
  }
}
