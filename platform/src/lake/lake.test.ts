import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type DeviceLog, exampleFleet, type LogSlice } from '../contracts/index.ts'
import { type Lake, landingJob, openLake } from './index.ts'
import { resolveTables } from './table-names.ts'

const startMs = Date.UTC(2026, 0, 15)
let open: Lake[] = []

async function lakeIn(directory: string): Promise<Lake> {
  const lake = await openLake({ directory, fleet: exampleFleet, threadCount: 1 })
  open.push(lake)
  return lake
}

afterEach(async () => {
  for (const lake of open) await lake.close()
  open = []
})

function line(offset: number, rest: Record<string, unknown>): string {
  const t = startMs + offset * 1000
  return JSON.stringify({ o: offset, t, d: 'U-1', e: `event-${offset}`, m: 'https', ...rest })
}

function readable(offset: number): string {
  const s = startMs + offset * 1000 - 500
  const timestamp = new Date(s).toISOString()
  const p = { device_id: 'U-1', timestamp, readings: { temperature: offset / 10, door_open: true } }
  return line(offset, { f: 'w', s, p })
}

function refused(offset: number): string {
  const b = Buffer.from('{"device').toString('base64')
  return line(offset, { x: 'INVALID_JSON', xd: 'ends at byte 8', b })
}

/** The files of a log as the landing job sees them; the real log has tests of its own. */
function logOver(directory: string, lines: readonly string[]): DeviceLog {
  const path = join(directory, `segment-${lines.length}.ndjson`)
  writeFileSync(path, lines.map((one) => `${one}\n`).join(''))
  const slice = async (partition: number, startOffset: number, endOffset: number) => {
    const found: LogSlice = { partition, startOffset, endOffset, paths: [path] }
    return { ...found, release: async () => undefined }
  }
  const unused = () => {
    throw new Error('landing does not use this')
  }
  return {
    generation: 0,
    partitionCount: 1,
    append: unused,
    follow: unused,
    position: unused,
    expire: unused,
    bounds: () => ({ startOffset: 0, endOffset: lines.length }),
    slice,
    commitPosition: async () => undefined,
    close: async () => undefined,
  }
}

const count = async (lake: Lake, table: string) =>
  Number((await lake.query(`SELECT count(*) FROM ${table}`)).rows[0]?.[0])

describe('landing', () => {
  it('stores every readable record once and sets refused ones aside with their reason (ING-28)', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const log = logOver(directory, [readable(0), refused(1), readable(2)])
    const outcome = await landingJob({ lake, nowMs: startMs + 60_000 }, log)
    expect(outcome).toMatchObject({ rowCount: 2, deadLetterCount: 1, commitCount: 1 })
    const rows = await lake.query(
      'SELECT _sequence_number, temperature, door_open, timestamp_device, ingest_hour ' +
        'FROM raw_sensor_readings ORDER BY 1',
    )
    expect(rows.rows).toEqual([
      ['0', 0, true, '2026-01-14 23:59:59.5+00', 0],
      ['2', 0.2, true, '2026-01-15 00:00:01.5+00', 0],
    ])
    const letters = await lake.query(
      'SELECT reason_code, reason_detail, payload, sequence_number FROM dead_letter_messages',
    )
    expect(letters.rows).toEqual([['INVALID_JSON', 'ends at byte 8', '{\\x22device', '1']])
  })

  it('adds nothing when it runs again and goes on where the table stands', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const lines = [readable(0), refused(1), readable(2)]
    await landingJob({ lake, nowMs: startMs + 60_000 }, logOver(directory, lines))
    const again = await landingJob({ lake, nowMs: startMs + 61_000 }, logOver(directory, lines))
    expect(again.commitCount).toBe(0)
    const more = [...lines, refused(3), readable(4), readable(5)]
    await lake.close()
    open = []
    const reopened = await lakeIn(join(directory, 'tables'))
    const context = { lake: reopened, nowMs: startMs + 120_000 }
    expect(await landingJob(context, logOver(directory, more))).toMatchObject({ rowCount: 2 })
    expect(await count(reopened, 'raw_sensor_readings')).toBe(4)
    expect(await count(reopened, 'dead_letter_messages')).toBe(2)
  })

  it('doubles no dead letter after a crash between the dead letters and the rows (ING-23)', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const lines = [readable(0), refused(1)]
    // The crash: dead letters of offsets 0 and 1 are committed, the rows are not.
    await lake.withConnection((connection) =>
      lake.table('dead_letter_messages').write({
        connection,
        query: `SELECT 'x' AS dlq_id, 'decode' AS stage, 'INVALID_JSON' AS reason_code,
          NULL AS reason_detail, 'e' AS event_id, 'U-1' AS device_id, NULL AS firmware_version,
          0 AS log_generation, 0 AS partition_id, 1::BIGINT AS sequence_number,
          now() AS timestamp_ingested, now() AS dead_lettered_at, 'x'::BLOB AS payload,
          NULL AS message_properties, 'new' AS status, 0 AS replay_count`,
        positions: [{ appId: 'landing/0/0', version: 1 }],
        operation: 'LAND',
        nowMs: startMs,
      }),
    )
    const more = [...lines, readable(2), refused(3)]
    const outcome = await landingJob({ lake, nowMs: startMs + 1000 }, logOver(directory, more))
    expect(outcome).toMatchObject({ rowCount: 2, deadLetterCount: 2 })
    expect(await count(lake, 'dead_letter_messages')).toBe(2)
  })
})

describe('maintenance', () => {
  it('packs small files without hiding a row from incremental readers', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const lines: string[] = []
    for (let offset = 0; offset < 10; offset++) {
      lines.push(readable(offset))
      await landingJob({ lake, nowMs: startMs + 60_000 + offset }, logOver(directory, lines))
    }
    const table = lake.table('raw_sensor_readings')
    const before = await table.snapshot()
    const outcome = await lake.withConnection((connection) =>
      table.maintain(connection, startMs + 120_000),
    )
    expect(outcome.removedFileCount).toBeGreaterThanOrEqual(8)
    const after = await table.snapshot()
    expect(after.files.length).toBeLessThan(before.files.length)
    expect(await count(lake, 'raw_sensor_readings')).toBe(10)
    const added = await table.addedFiles(5, after.version)
    const rows = await lake.withConnection((connection) =>
      connection.runAndReadAll(`SELECT count(*) FROM ${table.relation(after, added)}`),
    )
    // Versions 6 to 10 brought one row each.
    expect(Number(rows.getRows()[0]?.[0])).toBe(5)
  })
})

describe('queries', () => {
  it('read tables as of a version and as of an instant', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const lines = [readable(0)]
    await landingJob({ lake, nowMs: startMs + 60_000 }, logOver(directory, lines))
    await landingJob(
      { lake, nowMs: startMs + 120_000 },
      logOver(directory, [...lines, readable(1)]),
    )
    const at = (text: string) =>
      lake
        .query(`SELECT count(*) FROM raw_sensor_readings ${text}`)
        .then(({ rows }) => Number(rows[0]?.[0]))
    expect(await at('VERSION AS OF 1')).toBe(1)
    await expect(at("TIMESTAMP AS OF 'noon'")).rejects.toThrow(/expected an instant/)
    expect(await at('AS OF VERSION 2 AS r WHERE r.temperature >= 0')).toBe(2)
  })

  it('can neither change tables nor read other files', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    await expect(lake.query('DROP TABLE raw_sensor_readings')).rejects.toThrow(/read only/)
    await expect(lake.query("SELECT * FROM read_text('/etc/passwd')")).rejects.toThrow(/disabled/)
    await expect(lake.query('SELECT 1; SELECT 2')).rejects.toThrow(/one SELECT/)
    await expect(lake.query("COPY (SELECT 1) TO '/tmp/x.csv'")).rejects.toThrow(/disabled/)
  })

  it('leave quoted text and comments alone', () => {
    const names = ['raw_sensor_readings', 'model_scores']
    const { sql, mentions } = resolveTables(
      "SELECT 'model_scores' -- model_scores\nFROM raw_sensor_readings TIMESTAMP AS OF '2026-01-15'",
      names,
    )
    expect([...mentions.values()]).toEqual([{ table: 'raw_sensor_readings', timestampMs: startMs }])
    expect(sql).toContain(`"raw_sensor_readings@t${startMs}"`)
  })

  it('are interrupted at their time limit', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'isotherm-lake-'))
    const lake = await lakeIn(join(directory, 'tables'))
    const endless = 'SELECT count(*) FROM range(10000000000) a, range(1000000) b'
    await expect(lake.query(endless, { timeoutMs: 200 })).rejects.toThrow(/longer than 0.2 s/)
  })
})
