import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleFleet } from '../contracts/index.ts'
import { cohortTable, createCohorts } from './cohorts.ts'
import { peerDrift } from './peer-drift.ts'

const untilMs = Date.UTC(2026, 1, 16)
const peerCount = 12

let instance: DuckDBInstance
let connection: DuckDBConnection

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:')
  connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(() => {
  connection.closeSync()
  instance.closeSync()
})

/** Hourly rows of 8 days: own level, a shift of all in the last day, and one that moves more. */
async function found(shift: number, ownMove: number, hourCount = 192) {
  await connection.run(`CREATE OR REPLACE TEMP TABLE stored AS
    SELECT 'U-' || d AS device_id, 60 AS window_duration_minutes,
      make_timestamptz((${untilMs} - (h + 1) * 3600000) * 1000) AS window_start,
      make_timestamptz((${untilMs} - h * 3600000) * 1000) AS window_end,
      d::DOUBLE / 100 + (hash(d, h) % 100)::DOUBLE / 100
        + CASE WHEN h < 24 THEN ${shift} + CASE WHEN d = 5 THEN ${ownMove} ELSE 0 END ELSE 0 END
        AS temp_mean
    FROM range(${peerCount}) AS a(d), range(${hourCount}) AS b(h)`)
  const devices = Array.from({ length: peerCount }, (_, d) => ({
    device_id: `U-${d}`,
    cohort_id: 'one',
  }))
  await createCohorts(connection, [...devices, { device_id: 'alone', cohort_id: null }])
  return await peerDrift(connection, exampleFleet, {
    sources: { rows: 'stored', cohorts: cohortTable },
    ...{ minutes: 60, untilMs, features: ['temp_mean'] },
  })
}

describe('drift away from peers', () => {
  it('names the unit that moved, by how much', async () => {
    const [first, ...others] = await found(0, 5)
    expect(first).toMatchObject({ deviceId: 'U-5', cohortId: 'one', feature: 'temp_mean' })
    expect(first?.change).toBeCloseTo(5, 0)
    expect(others).toEqual([])
  })

  it('names none when all move, and none without a week to compare with', async () => {
    expect(await found(8, 0)).toEqual([])
    expect(await found(0, 5, 60)).toEqual([])
  })
})
