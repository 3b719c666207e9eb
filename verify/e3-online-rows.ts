import { refrigeration } from '@isotherm/fleet-refrigeration'
import { openOnlineFeatures } from 'isotherm/feature-store'
import { featureJob } from 'isotherm/features'
import { openDeployment } from 'isotherm/runtime'
import { commitClean, madeReadings, numberOption, seeded } from './clean-arrivals.ts'
import {
  dayMs,
  hourMs,
  isSame,
  minuteMs,
  type NaiveReading,
  naiveFeatures,
} from './naive-features.ts'
import type { Promised } from './promise.ts'
import { isotherm, temporaryFolder } from './system.ts'

/** Grace of FEA-10 in ms; a window without punctual readings takes those a day late, FEA-11. */
const graceMs: Readonly<Record<number, number>> = { 15: minuteMs, 60: 2 * hourMs, 1440: dayMs }

/** The readings that make a live row, from the specification. */
function readingsOfWindow(
  readings: readonly NaiveReading[],
  startMs: number,
  minutes: number,
): readonly NaiveReading[] {
  const endMs = startMs + minutes * minuteMs
  const inside = readings.filter(({ takenMs }) => takenMs >= startMs && takenMs < endMs)
  const punctual = inside.filter(({ arrivedMs }) => arrivedMs <= endMs + (graceMs[minutes] ?? 0))
  if (punctual.length > 0) return punctual
  return inside.filter(
    ({ arrivedMs }) => arrivedMs <= endMs + Math.max(dayMs, graceMs[minutes] ?? 0),
  )
}

type Proof = {
  readonly checked: number
  readonly differ: number
  readonly differences: readonly { readonly deviceId: string; readonly feature: string }[] | null
}

async function proof(data: string, count: number): Promise<{ code: number; found: Proof }> {
  const args = ['features', 'verify', '--count', String(count), '--data', data, '--json']
  const { code, output, errors } = await isotherm(...args)
  if (output === '') throw new Error(`features verify ended with ${code}: ${errors}`)
  return { code, found: (JSON.parse(output) as readonly Proof[])[0]! }
}

/** Served rows of a fleet with late readings, computed again by hand and by the product itself. */
export const promised: Promised = {
  id: 'E3',
  title: '1,000 random served rows computed again from their readings; a false one is found',
  unit: 'rows that differ',
  bar: '0 of 1,000, by hand and by isotherm features verify',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const rowCount = numberOption('count', 1000)
    const folder = temporaryFolder('e3')
    try {
      const startMs = Math.floor(Date.now() / dayMs) * dayMs - 3 * dayMs
      const endMs = startMs + 27 * hourMs
      const readings = madeReadings({
        deviceCount: Math.ceil((1.1 * rowCount) / 3),
        startMs,
        endMs,
        stepMs: 10 * minuteMs,
        lateShare: 0.06,
        veryLateShare: 0.01,
        nullShare: 0.06,
        seed: 9,
      })
      const deployment = await openDeployment({
        fleet: refrigeration,
        dataDirectory: folder.path,
        clock: Date.now,
      })
      let wrong = 0
      let checked = 0
      const examples: string[] = []
      try {
        const { lake } = deployment
        const arrived = readings.toSorted((a, b) => a.arrivedMs - b.arrivedMs)
        const stops = [endMs - 4 * hourMs, endMs - hourMs, Number.POSITIVE_INFINITY]
        let done = 0
        for (const stopMs of stops) {
          const next = arrived.findIndex(({ arrivedMs }) => arrivedMs > stopMs)
          const until = next < 0 ? arrived.length : next
          await commitClean(lake, arrived.slice(done, until))
          done = until
          const { emittedCount, lateCount } = await featureJob(
            { lake, nowMs: Date.now() },
            { devices: [] },
          )
          report(`${until} readings: ${emittedCount} rows, ${lateCount} corrected or created late`)
        }
        const online = openOnlineFeatures(lake)
        await online.refresh(Date.now())
        const random = seeded(123)
        const served = [...online.rows()]
          .map((row) => ({ row, place: random() }))
          .toSorted((a, b) => a.place - b.place)
          .slice(0, rowCount)
        const byDevice = Map.groupBy(readings, ({ deviceId }) => deviceId)
        checked = served.length
        for (const { row } of served) {
          const own = byDevice.get(row.deviceId) ?? []
          const window = readingsOfWindow(own, row.windowStartMs, row.durationMinutes)
          const expected = naiveFeatures(window)
          const at = online.columns.findIndex((name, i) => !isSame(row.values[i], expected[name]))
          if (at < 0) continue
          wrong += 1
          const name = online.columns[at] ?? ''
          examples.push(
            `${row.deviceId} ${row.durationMinutes} ${name}: ${row.values[at]}, by hand ${expected[name]}`,
          )
        }
        report(`${checked} rows by hand: ${wrong} differ ${examples[0] ?? ''}`)
      } finally {
        await deployment.close()
      }
      const clean = await proof(folder.path, rowCount)
      report(`features verify: ${clean.found.checked} rows, ${clean.found.differ} differ`)
      const again = await openDeployment({
        fleet: refrigeration,
        dataDirectory: folder.path,
        clock: Date.now,
      })
      try {
        const table = again.lake.table('device_features')
        const snapshot = await table.snapshot()
        await again.lake.withConnection((connection) =>
          table.write({
            connection,
            query: `SELECT * REPLACE (CASE WHEN device_id = 'HISTORY-0007'
                THEN humidity_mean * (1 + 1e-15) + 1e-13 ELSE humidity_mean END AS humidity_mean)
              FROM ${table.relation(snapshot)}`,
            replaces: snapshot.files,
            readVersion: snapshot.version,
            operation: 'TAMPER',
            nowMs: Date.now(),
          }),
        )
      } finally {
        await again.close()
      }
      const tampered = await proof(folder.path, 10 * rowCount)
      const named = new Set(tampered.found.differences?.map(({ deviceId }) => deviceId))
      const isFound = tampered.code === 1 && named.size === 1 && named.has('HISTORY-0007')
      report(`after a change in the last digit: ${tampered.found.differ} differ, found: ${isFound}`)
      return {
        ok:
          wrong === 0 &&
          checked === rowCount &&
          clean.code === 0 &&
          clean.found.differ === 0 &&
          clean.found.checked === rowCount &&
          isFound,
        value: wrong + clean.found.differ,
        detail: { checked, byProduct: clean.found, tampered: tampered.found.differ, examples },
      }
    } finally {
      folder.remove()
    }
  },
}
