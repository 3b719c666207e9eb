import type { ColumnData, DeltaField } from '@isotherm/delta'
import { field } from './random-values.ts'

const gaugeCount = 14

/** Twenty columns as a sensor's readings have them: an id, times, fourteen gauges, counters, a flag. */
export const readingFields: readonly DeltaField[] = [
  field('device_id', 'string'),
  field('event_time', 'timestamp'),
  field('sequence', 'long'),
  ...Array.from({ length: gaugeCount }, (_, i) => field(`gauge_${i}`, 'double')),
  field('starts', 'integer'),
  field('runtime_s', 'long'),
  field('door_open', 'boolean'),
]

/** Rows `first`..`first + rowCount` of a made-up fleet of a thousand devices. */
export function readingColumns(rowCount: number, first = 0): Readonly<Record<string, ColumnData>> {
  const deviceIds = new Array<string>(rowCount)
  const eventTimes = new BigInt64Array(rowCount)
  const sequences = new BigInt64Array(rowCount)
  const starts = new Int32Array(rowCount)
  const runtimes = new BigInt64Array(rowCount)
  const doors = new Uint8Array(rowCount)
  const gauges = Array.from({ length: gaugeCount }, () => new Float64Array(rowCount))
  for (let i = 0; i < rowCount; i++) {
    const row = first + i
    deviceIds[i] = `device-${String(row % 1000).padStart(4, '0')}`
    eventTimes[i] = 1_763_683_200_000_000n + BigInt(row) * 1000n
    sequences[i] = BigInt(row)
    starts[i] = row % 97
    runtimes[i] = BigInt(row % 86_400)
    doors[i] = row % 50 === 0 ? 1 : 0
    for (let gauge = 0; gauge < gaugeCount; gauge++) {
      gauges[gauge]![i] = Math.round(1000 * (gauge + 5 * Math.sin(row / (100 + gauge)))) / 1000
    }
  }
  return {
    device_id: deviceIds,
    event_time: eventTimes,
    sequence: sequences,
    ...Object.fromEntries(gauges.map((values, i) => [`gauge_${i}`, values])),
    starts,
    runtime_s: runtimes,
    door_open: doors,
  }
}
