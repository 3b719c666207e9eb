import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { describe, expect, it } from 'vitest'
import { type DeviceLog, exampleFleet, type NewRecord } from '../contracts/index.ts'
import { type ColumnMap, importFile, parseColumnMap, withInlineEntries } from './index.ts'

type Row = { readonly device_id: string; readonly timestamp: string; readonly readings: object }

async function imported(
  name: string,
  content: string | Uint8Array,
  map: Partial<ColumnMap>,
  options: {
    readonly skipBad?: boolean
    readonly deviceId?: string
    readonly latestMs?: number
  } = {},
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

describe('files as other programs write them', () => {
  const line = 'device_id,timestamp,temperature\nA,2026-01-15T00:00:00Z,21.5\n'
  const read = [['A', '2026-01-15T00:00:00.000Z', { temperature: 21.5 }]]
  const short = (rows: readonly Row[]) =>
    rows.map(({ device_id, timestamp, readings }) => [device_id, timestamp, readings])

  it.each([
    ['a byte order mark', 'a.csv', `\ufeff${line}`],
    ['line ends of Windows', 'a.csv', line.replaceAll('\n', '\r\n')],
    ['semicolons', 'a.csv', line.replaceAll(',', ';')],
    ['tabs', 'a.tsv', line.replaceAll(',', '\t')],
    ['gzip', 'a.csv.gz', gzipSync(line)],
    ['a name with a quote', "o'neill.csv", line],
    [
      'notes with line breaks',
      'a.csv',
      line.replace('A,', 'note,').replace('A,', '"x, ""y""\nz",'),
    ],
  ])('%s', async (what, name, content) => {
    const map = what.startsWith('notes') ? { device: { constant: 'A' } } : {}
    const { rows } = await imported(name, content, map)
    expect(short(rows)).toEqual(read)
  })

  it('reads decimal commas when told, and says how to tell when not', async () => {
    const comma = line.replaceAll(',', ';').replace('21.5', '21,5')
    await expect(imported('a.csv', comma, {})).rejects.toThrow(
      /"21,5" is no number; for decimal commas add --map 'decimal=,'/,
    )
    const { rows } = await imported(
      'a.csv',
      comma,
      withInlineEntries({ columns: {} }, ['decimal=,']),
    )
    expect(short(rows)).toEqual(read)
  })

  it('takes lines as devices send them, arrays, and fields of nested objects', async () => {
    const timestamp = '2026-01-15T00:00:00Z'
    const live = { device_id: 'A', timestamp, readings: { temperature: 21.5 } }
    expect(short((await imported('a.ndjson', JSON.stringify(live), {})).rows)).toEqual(read)
    expect(short((await imported('a.json', JSON.stringify([live]), {})).rows)).toEqual(read)
    const nested = JSON.stringify({ unit: { id: 'A' }, timestamp, air: { room: { t: 21.5 } } })
    const columns = { temperature: { column: 'air.room.t' } }
    const map = { device: { column: 'unit.id' }, columns }
    expect(short((await imported('b.ndjson', nested, map)).rows)).toEqual(read)
  })

  it.each([
    ['seconds', '1768435200', 'epoch_s'],
    ['milliseconds', '1768435200000', 'epoch_ms'],
  ])('names the format of epoch %s and reads it', async (_unit, time, format) => {
    const csv = line.replace('2026-01-15T00:00:00Z', time)
    await expect(imported('a.csv', csv, {})).rejects.toThrow(`timestamp[${format}]`)
    const { rows } = await imported('a.csv', csv, { timestamp: { column: 'timestamp', format } })
    expect(short(rows)).toEqual(read)
  })

  it('takes no reading from the future, nor seconds for milliseconds', async () => {
    const latestMs = Date.UTC(2026, 0, 14)
    await expect(imported('a.csv', line, {}, { latestMs })).rejects.toThrow(/in the future/)
    const seconds = line.replace('2026-01-15T00:00:00Z', '1768435200')
    const timestamp = { column: 'timestamp', format: 'epoch_ms' }
    await expect(imported('a.csv', seconds, { timestamp })).rejects.toThrow(/before 1990/)
  })

  it.each([
    ['nothing at all', 'a.csv', '', /is empty/],
    ['a header only', 'a.csv', 'device_id,timestamp,temperature\n', /no row in it/],
    ['bytes', 'a.csv', new Uint8Array([80, 75, 3, 4, 0, 0]), /no text file/],
    ['UTF-16', 'a.csv', Buffer.from(`\ufeff${line}`, 'utf16le'), /UTF-16.*iconv/],
    ['Latin-1', 'a.csv', Buffer.from(`${line}Kühl`, 'latin1'), /not UTF-8.*iconv/],
  ])('refuses %s in one sentence', async (_what, name, content, reason) => {
    await expect(imported(name, content, {})).rejects.toThrow(reason)
  })

  it('says which part of the map the file cannot be read with', async () => {
    const map = { timestamp: { column: 'timestamp', format: '%Q' } }
    await expect(imported('a.csv', line, map)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/a.csv: cannot be read as the map says: .*%Q/),
    })
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
