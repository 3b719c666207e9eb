import { join } from 'node:path'
import { defineFleet, exampleFleet, newDevice } from 'isotherm/contracts'
import { openLake, withRows } from 'isotherm/lake'
import { sensorJob } from 'isotherm/quality'
import {
  type Label,
  labelledSensors,
  minutesOfSeries,
  type SyntheticSensor,
} from './labelled-sensors.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 3, 6)
const minuteMs = 60_000
const least = 0.9
const seed = Number(
  process.argv.find((word) => word.startsWith('--seed='))?.slice('--seed='.length) ?? 11,
)

/** A machine with one probe and the current that tells whether it runs. */
const [temperature, pressure] = exampleFleet.sensors
if (temperature === undefined || pressure === undefined) throw new Error('the example has two')
const fleet = defineFleet({
  ...exampleFleet,
  name: 'probes',
  sensors: [
    { ...temperature, name: 'probe', short: 'probe', range: [-40, 60] },
    {
      ...pressure,
      ...{ name: 'current', short: 'current', group: 'compressor', range: [0, 50], unit: 'A' },
    },
  ],
  absolutePressureSensors: [],
  derivedFeatures: [],
  operatingModes: [],
  models: [],
  bands: [],
})

/** Clean rows of a sensor, as cleansing would have left them. */
function* cleanRows(sensor: SyntheticSensor) {
  for (let minute = 0; minute < minutesOfSeries; minute++) {
    const value = sensor.values[minute]!
    const isOutside = !Number.isNaN(value) && (value < -40 || value > 60)
    const timeMs = startMs + minute * minuteMs
    yield {
      event_id: `${sensor.id}-${minute}`,
      device_id: sensor.id,
      timestamp_utc: timeMs,
      probe: Number.isNaN(value) || isOutside ? null : value,
      current: sensor.current[minute],
      quality_flags: isOutside ? ['RANGE_VIOLATION'] : [],
      sensor_null_count: 0,
      timestamp_ingested: timeMs + 1000,
      timestamp_available: null,
      range_violation_sensors: isOutside ? ['probe'] : null,
      merged_event_ids: null,
      date: new Date(timeMs).toISOString().slice(0, 10),
    }
  }
}

/** F1 of a class: harmonic mean of how many it finds and how many of its finds are right. */
function f1(pairs: readonly (readonly [truth: Label, found: Label])[], label: Label): number {
  const hits = pairs.filter(([truth, found]) => truth === label && found === label).length
  const found = pairs.filter(([, graded]) => graded === label).length
  const planted = pairs.filter(([truth]) => truth === label).length
  return (2 * hits) / Math.max(1, found + planted)
}

/** Two days of 200 synthetic sensors whose state is known, graded from the tables. */
export const promised: Promised = {
  id: 'D5',
  title: '200 labelled synthetic sensors are graded usable, weak or dead',
  unit: 'mean F1 of the three grades',
  bar: `>= ${least}`,
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const folder = temporaryFolder('d5')
    const lake = await openLake({
      ...{ directory: join(folder.path, 'tables'), fleet, threadCount: 2 },
    })
    try {
      const sensors = labelledSensors(200, seed)
      const clean = lake.table('clean_sensor_readings')
      for (let start = 0; start < sensors.length; start += 20) {
        const rows = sensors.slice(start, start + 20).flatMap((sensor) => [...cleanRows(sensor)])
        await withRows(lake.temporaryDirectory, clean.contract, rows, (relation) =>
          lake.withConnection((connection) =>
            clean.write({
              ...{ connection, operation: 'CLEAN', nowMs: startMs },
              query: `SELECT * FROM ${relation}`,
            }),
          ),
        )
      }
      report(`${sensors.length} sensors, ${minutesOfSeries} minutes each`)
      const untilMs = startMs + minutesOfSeries * minuteMs
      const devices = sensors.map(({ id }) =>
        newDevice({ device_id: id, valid_from: startMs, equipment_class: 'example', model: 'P-1' }),
      )
      const before = process.cpuUsage()
      const faults = await sensorJob({ lake, nowMs: untilMs }, { devices, untilMs })
      const { user, system } = process.cpuUsage(before)
      const graded = new Map(
        faults
          .filter(({ sensor }) => sensor === 'probe')
          .map(({ deviceId, grade, reason }) => [deviceId, { grade, reason }]),
      )
      const pairs = sensors.map(
        ({ id, label }) => [label, graded.get(id)?.grade ?? 'usable'] as const,
      )
      const scores = (['usable', 'weak', 'dead'] as const).map((label) => f1(pairs, label))
      const wrong = sensors
        .filter(({ id, label }) => (graded.get(id)?.grade ?? 'usable') !== label)
        .map(({ kind, id, label }) => `${kind}: ${label}, graded ${JSON.stringify(graded.get(id))}`)
      const { rows } = await lake.query('SELECT count(*) FROM sensor_health')
      const value = scores.reduce((sum, score) => sum + score, 0) / scores.length
      return {
        ok: value >= least && Number(rows[0]?.[0]) === faults.length,
        value,
        detail: {
          ...{ usable: scores[0], weak: scores[1], dead: scores[2], wrong },
          cpuSeconds: (user + system) / 1e6,
        },
      }
    } finally {
      await lake.close()
      folder.remove()
    }
  },
}
