import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTable, folderStore } from '@isotherm/delta'
import { expect, it, onTestFinished } from 'vitest'
import { deltaFields, exampleFleet, fleetTables } from '../contracts/index.ts'
import { type Lake, openLake } from '../lake/index.ts'
import { schemaChangeJob } from './schema-changes.ts'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 10, 21, 12)

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), 'isotherm-changes-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function lakeIn(directory: string): Promise<Lake> {
  const lake = await openLake({ directory, fleet: exampleFleet, threadCount: 1 })
  onTestFinished(() => lake.close())
  return lake
}

async function logged(lake: Lake, columns: string, where = 'true') {
  const { rows } = await lake.query(
    `SELECT ${columns} FROM schema_change_log WHERE ${where} ORDER BY ALL`,
  )
  return rows
}

it('a column of a new release is logged on the day the table has it, and once', async () => {
  const directory = folder()
  const contract = fleetTables(exampleFleet).find(({ name }) => name === 'clean_sensor_readings')!
  await createTable(folderStore(join(directory, contract.name)), {
    name: contract.name,
    schema: {
      type: 'struct',
      fields: deltaFields(contract).filter(({ name }) => name !== 'pressure'),
    },
    partitionColumns: ['date'],
  })
  const early = await openLake({ directory, fleet: exampleFleet, readOnly: true, threadCount: 1 })
  const stored = (await early.table(contract.name).snapshot()).schema.fields
  await early.close()
  expect(stored.map(({ name }) => name)).not.toContain('pressure')

  const lake = await lakeIn(directory)
  const first = await schemaChangeJob({ lake, nowMs })
  expect(first.isWritten).toBe(true)
  expect(first.added).toContain('clean_sensor_readings.temperature')
  expect(await schemaChangeJob({ lake, nowMs: nowMs + dayMs })).toEqual({
    added: [],
    isWritten: false,
  })
  expect(await logged(lake, 'min(date_added), max(date_added)')).toEqual([
    ['2026-11-21', '2026-11-21'],
  ])
})

it('tells which share of the devices has values, and from when a column can be trained on', async () => {
  const lake = await lakeIn(folder())
  // Two of ten devices send pressure on the first day, nine on the second, half on the third.
  const rows = [2, 9, 5].flatMap((withPressure, day) =>
    Array.from({ length: 10 }, (_, i) => {
      const start = Date.UTC(2026, 10, 18 + day)
      const pressure = i < withPressure ? '3.5' : 'NULL'
      return `('U-${i}', make_timestamptz(${start}000), 1440, 1.5, ${pressure}, '${new Date(start).toISOString().slice(0, 10)}')`
    }),
  )
  const names = ['device_id', 'window_start', 'window_duration_minutes', 'temp_mean']
  const { contract, write } = lake.table('device_features')
  const given = [...names, 'pressure_mean', 'window_date']
  const columns = contract.columns.map(({ name }) =>
    given.includes(name) ? name : `NULL AS ${name}`,
  )
  await lake.withConnection(async (connection) => {
    await write({
      connection,
      query: `SELECT ${columns.join(', ')} FROM (VALUES ${rows.join(', ')}) v(${given.join(', ')})`,
      operation: 'FEATURES',
      nowMs,
    })
  })
  await schemaChangeJob({ lake, nowMs }, { withCoverage: true })
  const columnsOf = 'column_name, fleet_coverage_pct, min_viable_training_date'
  const expected = [
    ['pressure', 50, '2026-11-19'],
    ['temperature', 100, '2026-11-18'],
  ]
  const sensors = `table_name = 'clean_sensor_readings' AND column_name IN ('temperature', 'pressure')`
  expect(await logged(lake, columnsOf, sensors)).toEqual(expected)
  expect(await logged(lake, columnsOf, `column_name = 'pressure_mean'`)).toEqual([
    ['pressure_mean', 50, '2026-11-19'],
  ])
  expect(await logged(lake, columnsOf, `column_name = 'pressure_std'`)).toEqual([
    ['pressure_std', 0, null],
  ])
})
