import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { exampleFleet, newDevice } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import { distributionJob, distributionResults } from './distribution-job.ts'

const day0 = Date.UTC(2026, 1, 1)
const dayMs = 86_400_000
let lake: Lake | undefined
let folder = ''

afterEach(async () => {
  await lake?.close()
  await rm(folder, { recursive: true, force: true })
})

const devices = ['1.0', '2.0'].map((firmware_version, index) =>
  newDevice({ device_id: `d${index}`, valid_from: day0, firmware_version, model: 'M' }),
)

/** A day of 2,000 rows per device; what firmware 2.0 measures is moved. */
async function landDay(day: number, moved: number, rowCount = 2_000): Promise<void> {
  const table = lake!.table('raw_sensor_readings')
  const startMs = day0 + day * dayMs
  const given: Readonly<Record<string, string>> = {
    event_id: "'e' || device || '-' || row",
    device_id: "'d' || device",
    timestamp_device: `make_timestamptz((${startMs} + row * 40000) * 1000)`,
    timestamp_ingested: `make_timestamptz((${startMs} + row * 40000) * 1000)`,
    temperature: `5 + (hash(row * 7 + device + ${day}) % 1000) / 1000 + device * ${moved}`,
    pressure: 'CASE WHEN row % 10 > 0 THEN 300.0 + row % 7 END',
    door_open: 'row % 4 = 0',
    _sequence_number: '(row * 2 + device)::BIGINT',
    ingest_date: `'${new Date(startMs).toISOString().slice(0, 10)}'`,
    ingest_hour: '0',
  }
  const columns = table.contract.columns.map(({ name }) => `${given[name] ?? 'NULL'} AS "${name}"`)
  await lake!.withConnection((connection) =>
    table.write({
      connection,
      query: `SELECT ${columns.join(', ')}
        FROM range(${rowCount}) AS rows(row), range(2) AS devices(device)`,
      operation: 'LAND',
      nowMs: startMs + dayMs,
    }),
  )
}

const look = (day: number) =>
  distributionJob(
    { lake: lake!, nowMs: day0 + (day + 1) * dayMs },
    { devices, granularity: 'day', untilMs: day0 + (day + 1) * dayMs },
  )

describe('the ingestion distribution monitor', () => {
  it('says nothing for a week, then tells which firmware moved and writes it down', async () => {
    folder = await mkdtemp(join(tmpdir(), 'isotherm-distribution-'))
    lake = await openLake({ directory: folder, fleet: exampleFleet, threadCount: 2 })
    for (let day = 0; day < 8; day++) {
      await landDay(day, 0)
      expect(await look(day)).toEqual([])
    }
    await landDay(8, 3)
    const shifts = await look(8)
    const named = shifts.map(({ segmentType, segmentValue, sensor }) =>
      [segmentType, segmentValue, sensor].join(' '),
    )
    expect(named).toContain('firmware 2.0 temperature')
    expect(named).not.toContain('firmware 1.0 temperature')
    expect(named.every((name) => name.endsWith('temperature'))).toBe(true)
    const results = distributionResults(shifts, devices)
    expect(results.map(({ scope, isPassed }) => [scope.firmware, isPassed])).toEqual([
      [undefined, false],
      ['1.0', true],
      ['2.0', false],
    ])
    const { rows } =
      await lake.query(`SELECT n::INTEGER, round(null_rate, 3), round(mean, 2), status
      FROM ingestion_distribution_stats WHERE batch_start = TIMESTAMPTZ '2026-02-01'
        AND segment_type = 'fleet' ORDER BY sensor_name`)
    expect(rows).toEqual([
      [4000, 0, 0.25, 'insufficient_data'],
      [3600, 0.1, 303, 'insufficient_data'],
      [4000, 0, expect.closeTo(5.5, 1), 'insufficient_data'],
    ])
    await look(8)
    const { rows: after } = await lake.query(
      "SELECT count(*)::INTEGER FROM ingestion_distribution_stats WHERE status = 'shift'",
    )
    expect(after).toEqual([[shifts.length]])
  })

  it('does not judge a batch of few values', async () => {
    folder = await mkdtemp(join(tmpdir(), 'isotherm-distribution-'))
    lake = await openLake({ directory: folder, fleet: exampleFleet, threadCount: 2 })
    for (let day = 0; day < 8; day++) {
      await landDay(day, day === 7 ? 50 : 0, 100)
      expect(await look(day)).toEqual([])
    }
  })
})
