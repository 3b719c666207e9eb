import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { exampleFleet } from '../contracts/index.ts'
import { featureJob } from '../features/index.ts'
import { withRows } from '../lake/index.ts'
import { openDeployment } from './deployment.ts'
import { openFeatureCare } from './feature-care.ts'

const dayMs = 86_400_000
const day0 = Date.UTC(2026, 1, 16)

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('the care of features', () => {
  it('fills history at night, proves what is served, and raises an alarm when it stands still', async () => {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'isotherm-care-'))
    folders.push(dataDirectory)
    let nowMs = day0 + 2 * dayMs + 5 * 60_000
    const deployment = await openDeployment({
      fleet: exampleFleet,
      dataDirectory,
      clock: () => nowMs,
    })
    const { lake } = deployment
    const table = lake.table('clean_sensor_readings')
    const rows = Array.from({ length: 2 * 288 }, (_, index) => {
      const at = day0 + index * 300_000
      return {
        event_id: `e-${index}`,
        device_id: 'A',
        timestamp_utc: at,
        temperature: (index % 7) - 3,
        pressure: 300,
        door_open: false,
        quality_flags: [],
        sensor_null_count: 0,
        timestamp_ingested: at + 1000,
        date: new Date(at).toISOString().slice(0, 10),
      }
    })
    await withRows(lake.temporaryDirectory, table.contract, rows, (relation) =>
      lake.withConnection((connection) =>
        table.write({ connection, query: `SELECT * FROM ${relation}`, operation: 'CLEAN', nowMs }),
      ),
    )
    await featureJob({ lake, nowMs }, { devices: [], finishUntilMs: day0 + 2 * dayMs })
    const care = await openFeatureCare(deployment)
    expect(await care.look()).toMatchObject({ alarms: [] })
    expect(care.online.lookup('A')?.rows).toHaveLength(3)
    expect(await care.nightly()).toMatchObject({ checkedCount: 3, differingCount: 0 })
    const { rows: counted } = await lake.query(
      'SELECT count(*), count(DISTINCT window_date) FROM feature_history',
    )
    expect(counted[0]?.map(Number)).toEqual([2 * (96 + 24 + 1), 2])
    nowMs += 3 * 3_600_000
    const { alarms } = await care.look()
    expect(
      alarms.map(({ finding, severity }) => [finding.metric, finding.subject, severity]),
    ).toEqual([
      ['freshness', '15 min', 'CRITICAL'],
      ['freshness', '60 min', 'CRITICAL'],
    ])
    await deployment.close()
  })
})
