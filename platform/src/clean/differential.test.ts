import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventTime } from './event-time.ts'
import { cleanJob } from './job.ts'
import { plausibleValues } from './sensor-range.ts'
import {
  type Arrival,
  day0,
  dayMs,
  deviceRow,
  land,
  minuteMs,
  newLake,
  rowsOf,
  testFleet,
} from './testing/landing.ts'

const devices = [
  deviceRow('A'),
  deviceRow('B', { equipment_class: 'wide', pressure_reference: 'gauge' }),
]

/**
 * Differences between arrival and device time, with the limits of CON-11 and their neighbours. Copies
 * of a message stay within the eight days for which wrong clocks are remembered.
 */
const lateness = fc.oneof(
  fc.integer({ min: -2 * dayMs, max: 5 * dayMs }),
  fc
    .tuple(fc.constantFrom(0, -5 * minuteMs, dayMs, -dayMs), fc.integer({ min: -1, max: 1 }))
    .map(([limit, step]) => limit + step),
)

const value = (low: number, high: number) =>
  fc.option(
    fc.integer({ min: low * 10, max: high * 10 }).map((tenths) => tenths / 10),
    { freq: 5 },
  )

const message = fc.record({
  device: fc.constantFrom('A', 'B', 'X'),
  at: fc.integer({ min: 0, max: 600 }).map((seconds) => day0 + seconds * 1000),
  values: fc.record({
    temperature: value(-70, 100),
    pressure: value(-10, 1100),
    door_open: fc.option(fc.boolean()),
  }),
})

/** Messages, delivered in any order, some of them several times. */
const arrivals = fc
  .tuple(
    fc.array(message, { minLength: 1, maxLength: 40 }),
    fc.array(
      fc.record({
        index: fc.nat(),
        lateness,
        sentLateness: fc.option(fc.integer({ min: -6 * minuteMs, max: 6 * minuteMs })),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  )
  .map(([messages, deliveries]) =>
    deliveries.map(({ index, lateness: late, sentLateness }): Arrival => {
      const id = index % messages.length
      const sent = messages[id]!
      const arrivedAt = sent.at + late
      const arrival = { ...sent, id: `id-${id}`, arrivedAt }
      return sentLateness === null ? arrival : { ...arrival, sentAt: arrivedAt - sentLateness }
    }),
  )

/** What cleansing should make of deliveries, row by row. Gap flags have tests of their own. */
function naiveClean(delivered: readonly Arrival[]) {
  const seen = new Set<string>()
  const rows = []
  for (const { device, id = '', at, arrivedAt = 0, sentAt, values = {} } of delivered) {
    const isCopy = seen.has(id)
    seen.add(id)
    const registered = devices.find(({ device_id }) => device_id === device)
    const isEmpty = Object.values(values).every((one) => one === null)
    if (isCopy || registered === undefined || isEmpty) continue
    const clocks = { deviceMs: at, ingestedMs: arrivedAt }
    const { timeMs, flag } = eventTime(
      sentAt === undefined ? clocks : { ...clocks, sentMs: sentAt },
    )
    const { values: kept, violations } = plausibleValues(testFleet, registered, values)
    rows.push({
      event_id: id,
      timestamp_utc: timeMs,
      ...kept,
      timeFlag: flag,
      violations,
      sensor_null_count: Object.values(kept).filter((one) => one === null).length,
    })
  }
  return rows.toSorted((a, b) => (a.event_id < b.event_id ? -1 : 1))
}

describe('the cleansing SQL', () => {
  it('agrees with the row by row definition, over any split into batches', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 60 }), async (delivered, cut) => {
        const lake = await newLake()
        const batches = [delivered.slice(0, cut), delivered.slice(cut)]
        let accounted = 0
        for (const batch of batches.filter(({ length }) => length > 0)) {
          await land(lake, batch)
          const outcome = await cleanJob(
            { lake, nowMs: day0 + dayMs },
            { devices, registryVersion: 'r1' },
          )
          accounted += outcome.inputRowCount
        }
        expect(accounted).toBe(delivered.length)
        const rows = await rowsOf(lake, 'clean_sensor_readings', 'event_id')
        const clockFlags = ['LATE_ARRIVAL', 'CLOCK_DRIFT', 'CLOCK_AHEAD']
        const found = rows.map((row) => ({
          event_id: row.event_id,
          timestamp_utc: row.timestamp_utc,
          temperature: row.temperature,
          pressure: row.pressure,
          door_open: row.door_open,
          timeFlag: (row.quality_flags as string[]).find((flag) => clockFlags.includes(flag)),
          violations: row.range_violation_sensors ?? [],
          sensor_null_count: row.sensor_null_count,
        }))
        await lake.close()
        expect(found).toEqual(naiveClean(delivered))
      }),
      { numRuns: 20, endOnFailure: true },
    )
  })
})
