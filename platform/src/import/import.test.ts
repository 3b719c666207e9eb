import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { type DeviceLog, exampleFleet, type NewRecord } from '../contracts/index.ts'
import { type ColumnMap, importFile, parseColumnMap, withInlineEntries } from './index.ts'

type Row = { readonly device_id: string; readonly timestamp: string; readonly readings: object }

async function imported(
  name: string,
  content: string,
  map: Partial<ColumnMap>,
  options: { readonly skipBad?: boolean; readonly deviceId?: string } = {},
) {
  const path = join(mkdtempSync(join(tmpdir(), 'isotherm-import-')), name)
  writeFileSync(path, content)
  const records: NewRecord[] = []
  const log = {
    append: async (more: readonly NewRecord[]) => void records.push(...more),
  } as Partial<DeviceLog> as DeviceLog
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  try {
    const outcome = await importFile({
      path,
      fleet: exampleFleet,
      map: { columns: {}, ...map },
      log,
      connection,
      admit: ({ deviceId, timeMs, payload }) => ({
        deviceId,
        eventId: `${deviceId}-${timeMs}`,
        ingestedAtMs: timeMs,
        protocol: 'import',
        body: { kind: 'readable', format: 'wide', deviceTimeMs: timeMs, payload },
      }),
      ...options,
    })
    const rows = records.map(({ body }) => JSON.parse(Buffer.from(body.payload).toString()) as Row)
    return { outcome, rows }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const fahrenheit: Partial<ColumnMap> = {
  device: { column: 'Unit' },
  timestamp: { column: 'When', format: '%m/%d/%Y %H:%M' },
  columns: {
    temperature: { column: 'Air Temp ', unit: 'degF' },
    pressure: { column: 'p', unit: 'bar' },
    door_open: { column: 'door' },
  },
}

describe('an import', () => {
  it('maps columns, converts units and reads dates as the map says', async () => {
    const csv = 'Unit,When,Air Temp ,p,door\nA,9/11/2017 0:01,50,2.5,1\nA,9/11/2017 0:02,,1,0\n'
    const { rows, outcome } = await imported('data.csv', csv, fahrenheit)
    expect(rows).toEqual([
      {
        device_id: 'A',
        timestamp: '2017-09-11T00:01:00.000Z',
        readings: { temperature: 10, pressure: 250, door_open: true },
      },
      {
        device_id: 'A',
        timestamp: '2017-09-11T00:02:00.000Z',
        readings: { pressure: 100, door_open: false },
      },
    ])
    expect(outcome).toMatchObject({ rowCount: 2, badRowCount: 0, deviceIds: ['A'] })
  })

  it('finds columns named like the sensors without a map', async () => {
    const lines = [
      { device_id: 'A', timestamp: '2026-01-15T00:00:00+02:00', temperature: 1.5, door_open: true },
      { device_id: 'B', timestamp: '2026-01-15T00:00:00Z', temperature: null, door_open: false },
    ]
    const ndjson = lines.map((line) => JSON.stringify(line)).join('\n')
    const { rows } = await imported('data.ndjson', ndjson, {})
    expect(
      rows.map(({ device_id, timestamp, readings }) => [device_id, timestamp, readings]),
    ).toEqual([
      ['A', '2026-01-14T22:00:00.000Z', { temperature: 1.5, door_open: true }],
      ['B', '2026-01-15T00:00:00.000Z', { door_open: false }],
    ])
  })

  it('imports nothing from a file with bad rows and names each of them', async () => {
    const csv =
      'device_id,timestamp,temperature\nA,2026-01-15T00:00:00Z,#VALUE!\nA,yesterday,2\n' +
      'bad id,2026-01-15T00:02:00Z,3\nA,2026-01-15T00:03:00Z,4\nA,2026-01-15T00:04:00Z\n'
    await expect(imported('data.csv', csv, {})).rejects.toThrow(
      /4 bad rows.*row 1: temperature: "#VALUE!" is no number.*row 2: timestamp: "yesterday" is no time.*row 3: device id.*row 5/s,
    )
  })

  it('keeps the good rows with skipBad and counts the bad ones', async () => {
    const csv =
      'device_id,timestamp,temperature\nA,2026-01-15T00:00:00Z,x\nA,2026-01-15T00:01:00Z,4\n'
    const { outcome, rows } = await imported('data.csv', csv, {}, { skipBad: true })
    expect(rows).toHaveLength(1)
    expect(outcome).toMatchObject({ rowCount: 1, badRowCount: 1 })
  })

  it('says what a map names wrongly', async () => {
    const csv = 'device_id,timestamp,temperature\nA,2026-01-15T00:00:00Z,1\n'
    const columns = (name: string, column: string, unit?: string) => ({
      columns: { [name]: { column, ...(unit && { unit }) } },
    })
    await expect(imported('d.csv', csv, columns('temprature', 'temperature'))).rejects.toThrow(
      /no sensor temprature; its sensors are temperature, pressure, door_open/,
    )
    await expect(imported('d.csv', csv, columns('temperature', 'Temp C'))).rejects.toThrow(
      /no column "Temp C"; the file has device_id, timestamp, temperature/,
    )
    await expect(
      imported('d.csv', csv, columns('temperature', 'temperature', 'psi')),
    ).rejects.toThrow(/cannot convert psi to °C/)
  })

  it('asks for a device where the file has none', async () => {
    const csv = 'timestamp,temperature\n2026-01-15T00:00:00Z,1\n'
    await expect(imported('d.csv', csv, {})).rejects.toThrow(/--device ID/)
    const { outcome } = await imported('d.csv', csv, {}, { deviceId: 'A' })
    expect(outcome.deviceIds).toEqual(['A'])
  })

  it('refuses a missing file and an unknown format in one sentence', async () => {
    await expect(imported('data.xlsx', 'x', {})).rejects.toThrow(/does not say the format/)
    await expect(imported('data.parquet', 'no parquet', {})).rejects.toThrow(/cannot be read/)
  })
})

describe('a column map', () => {
  it('is checked when it is read', () => {
    expect(() => parseColumnMap('{"columns":{"a":{"colum":"x"}}}', 'map.json')).toThrow(
      /map.json is not a column map: .*columns.a/,
    )
  })

  it('takes entries from the command line', () => {
    const map = withInlineEntries({ columns: {} }, ['temperature=Air Temp[degF]', 'device_id=Unit'])
    expect(map).toMatchObject({
      device: { column: 'Unit' },
      columns: { temperature: { column: 'Air Temp', unit: 'degF' } },
    })
    expect(() => withInlineEntries({ columns: {} }, ['nonsense'])).toThrow(/expected sensor=Column/)
  })
})
