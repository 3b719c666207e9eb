import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { featureColumns } from 'isotherm/contracts'
import { peerDrift } from 'isotherm/features'
import { numberFlag } from './delta/flags.ts'
import { randomNumbers } from './features/random-readings.ts'
import type { Promised } from './promise.ts'

const peerCount = 200
const hours = 9 * 24
const endMs = Date.UTC(2026, 2, 10)
const hourMs = 3_600_000
const drifting = 'peer-077'

/** What a feature answers to the weather per K, how units differ in that, and its noise. */
const answers = [
  { feature: 'temp_evaporator_mean', gain: 0.15, noise: 0.4, drift: 4 },
  { feature: 'temp_condenser_mean', gain: 0.9, noise: 0.6, drift: 6 },
  { feature: 'temp_ambient_mean', gain: 1, noise: 0.5, drift: 0 },
  { feature: 'pressure_high_mean', gain: 28, noise: 20, drift: 150 },
  { feature: 'current_compressor_mean', gain: 0.05, noise: 0.15, drift: 1 },
] as const

type Scene = { readonly drifts: boolean; readonly weatherShiftK: number; readonly seed: number }

/** Sum of twelve uniforms less six: normal enough, and never far out by accident. */
function normal(random: () => number): number {
  let sum = -6
  for (let i = 0; i < 12; i++) sum += random()
  return sum
}

/** Hourly rows of the peers: own level, own answer to the weather, noise, and perhaps a drift. */
async function createRows(connection: DuckDBConnection, scene: Scene): Promise<void> {
  const random = randomNumbers(scene.seed)
  const lines: string[] = []
  for (let peer = 0; peer < peerCount; peer++) {
    const device = `peer-${String(peer).padStart(3, '0')}`
    const levels = answers.map(({ noise }) => normal(random) * noise * 3)
    const gains = answers.map(({ gain }) => gain * (1 + 0.1 * normal(random)))
    for (let hour = 0; hour < hours; hour++) {
      // A day's course, and in the last day a front that shifts the weather for everybody.
      const front = hour >= hours - 24 ? scene.weatherShiftK : 0
      const weather = 5 * Math.sin((2 * Math.PI * hour) / 24) + front
      const share = Math.max(0, (hour - (hours - 48)) / 24)
      const values = answers.map(({ noise, drift }, index) => {
        if (random() < 0.03) return 'NULL'
        const own = scene.drifts && device === drifting ? drift * Math.min(1, share) : 0
        const value =
          20 + (levels[index] ?? 0) + (gains[index] ?? 0) * weather + noise * normal(random) + own
        return String(value)
      })
      if (random() < 0.02) continue
      lines.push(`('${device}', ${endMs - (hours - hour) * hourMs}::BIGINT, ${values.join(', ')})`)
    }
  }
  const names = answers.map(({ feature }) => feature)
  const others = featureColumns(refrigeration)
    .filter(({ name }) => !names.some((known) => known === name))
    .map(({ name }) => `NULL::DOUBLE AS ${name}`)
  await connection.run(`CREATE OR REPLACE TABLE stored_rows AS
    SELECT device_id, 60 AS window_duration_minutes, make_timestamptz(start_ms * 1000) AS window_start,
      make_timestamptz((start_ms + ${hourMs}) * 1000) AS window_end, ${names.map((name) => `${name}::DOUBLE AS ${name}`).join(', ')},
      ${others.join(', ')}
    FROM (VALUES ${lines.join(', ')}) AS v(device_id, start_ms, ${names.join(', ')})`)
}

/** A unit that leaves its peers is found; what moves all of them is nobody's fault. */
export const promised: Promised = {
  id: 'E6',
  title: 'one of 200 peers drifts, then the weather shifts for all',
  unit: 'wrong verdicts',
  bar: '0: the drifting unit is found alone, with and without a weather shift; the shift raises none',
  quick: false,
  limitSeconds: 300,
  run: async (report) => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
    const connection = await instance.connect()
    try {
      await connection.run("SET TimeZone = 'UTC'")
      await connection.run(`CREATE TABLE cohorts AS SELECT 'peer-' || lpad(i::VARCHAR, 3, '0')
        AS device_id, 'one' AS cohort_id FROM range(${peerCount}) AS t(i)`)
      const rounds = numberFlag('rounds', 2)
      let wrong = 0
      const verdicts: string[] = []
      for (let seed = 1; seed <= rounds; seed++) {
        for (const [drifts, weatherShiftK] of [
          [true, 0],
          [false, 12],
          [true, 12],
          [false, 0],
        ] as const) {
          await createRows(connection, { drifts, weatherShiftK, seed })
          const found = await peerDrift(connection, refrigeration, {
            sources: { rows: 'stored_rows', cohorts: 'cohorts' },
            ...{ minutes: 60, untilMs: endMs, features: answers.map(({ feature }) => feature) },
          })
          const named = [...new Set(found.map(({ deviceId }) => deviceId))].join(', ')
          if (named !== (drifts ? drifting : '')) wrong++
          const farthest = Math.abs(found[0]?.spreads ?? 0).toFixed(1)
          verdicts.push(
            `drift ${drifts}, shift ${weatherShiftK} K: ${named || 'none'} (${farthest})`,
          )
        }
        report(verdicts.slice(-4).join('; '))
      }
      return { ok: wrong === 0, value: wrong, detail: { verdicts } }
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  },
}
