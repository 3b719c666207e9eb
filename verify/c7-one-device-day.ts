import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import {
  createTable,
  folderStore,
  openTable,
  relationSql,
  skipFiles,
  writeFiles,
} from '@isotherm/delta'
import { numberFlag } from './delta/flags.ts'
import { openDatabase } from './delta/our-engine.ts'
import { field } from './delta/random-values.ts'
import { seededRandom } from './delta/seeded-random.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const firstDay = Date.UTC(2026, 7, 1)
const dayMs = 86_400_000
const readingsADay = 24
const openProbe = join(import.meta.dirname, 'delta', 'open-probe.ts')

const dayText = (day: number) => new Date(firstDay + day * dayMs).toISOString().slice(0, 10)
const deviceText = (device: number) => `device-${String(device).padStart(5, '0')}`

/** Hourly readings of every device, day by day, sorted by device, four files a day. */
async function writeFleet(
  connection: DuckDBConnection,
  folder: string,
  { dayCount, deviceCount }: { readonly dayCount: number; readonly deviceCount: number },
  report: (line: string) => void,
): Promise<void> {
  const table = await createTable(folderStore(folder), {
    name: 'fleet',
    schema: {
      type: 'struct',
      fields: [
        field('device_id', 'string'),
        field('event_time', 'timestamp'),
        field('temp_c', 'double'),
        field('power_w', 'double'),
        field('door_open', 'boolean'),
        field('day', 'date'),
      ],
    },
    partitionColumns: ['day'],
  })
  const rowCount = deviceCount * readingsADay
  for (let day = 0; day < dayCount; day++) {
    const query = `SELECT 'device-' || lpad((i // ${readingsADay})::VARCHAR, 5, '0') AS device_id,
        TIMESTAMPTZ '${dayText(day)} 00:00:00+00' + (i % ${readingsADay}) * INTERVAL 1 HOUR AS event_time,
        (i // ${readingsADay})::DOUBLE AS temp_c, (i % ${readingsADay})::DOUBLE AS power_w,
        i % 50 = 0 AS door_open
      FROM range(${rowCount}) AS rows(i)`
    const adds = await writeFiles(connection, table, query, {
      partitionValues: { day: dayText(day) },
      orderBy: ['device_id', 'event_time'],
      rowGroupRows: 20_480,
      targetFileRows: Math.ceil(rowCount / 4),
    })
    await table.commit({ adds, operation: 'WRITE' })
    if ((day + 1) % 30 === 0) report(`${day + 1} days written`)
  }
}

/** Milliseconds of single device-days, and the largest share of files that one opened. */
async function askForDeviceDays(
  connection: DuckDBConnection,
  folder: string,
  { dayCount, deviceCount }: { readonly dayCount: number; readonly deviceCount: number },
) {
  const random = seededRandom(7)
  const table = await openTable(folderStore(folder))
  const times: number[] = []
  let wrong = 0
  let openedShare = 0
  let fileCount = 0
  for (let i = 0; i < 41; i++) {
    const [day, device] = [dayText(random.below(dayCount)), random.below(deviceCount)]
    const id = deviceText(device)
    const start = performance.now()
    const snapshot = await table.snapshot()
    const files = skipFiles(snapshot.files, {
      partition: { day: [day] },
      ranges: { device_id: { min: id, max: id } },
      schema: snapshot.schema,
    })
    const result = await connection.runAndReadAll(
      `SELECT event_time, temp_c FROM ${relationSql(table, snapshot, { files })}
        WHERE day = DATE '${day}' AND device_id = '${id}' ORDER BY event_time`,
    )
    const rows = result.getRows()
    // The first query warms the engine and the disk.
    if (i > 0) times.push(performance.now() - start)
    if (rows.length !== readingsADay || rows.some(([, temp]) => temp !== device)) wrong += 1
    fileCount = snapshot.files.length
    openedShare = Math.max(openedShare, files.length / fileCount)
  }
  times.sort((a, b) => a - b)
  return { medianMs: times[20] ?? 0, p95Ms: times[37] ?? 0, wrong, openedShare, fileCount }
}

/** A table of so many commits, one file each, with a checkpoint every hundred. */
async function writeCommits(folder: string, commitCount: number): Promise<void> {
  const table = await createTable(folderStore(folder), {
    name: 'commits',
    schema: { type: 'struct', fields: [field('id', 'long'), field('value', 'double')] },
    configuration: { 'delta.checkpointInterval': '100' },
  })
  for (let version = 1; version <= commitCount; version++) {
    const stats = JSON.stringify({
      numRecords: 1000,
      minValues: { id: version * 1000, value: -1 },
      maxValues: { id: version * 1000 + 999, value: 1 },
      nullCount: { id: 0, value: 0 },
    })
    const add = {
      path: `part-00000-${String(version).padStart(36, '0')}-c000.zstd.parquet`,
      partitionValues: {},
      size: 10_000,
      modificationTime: firstDay,
      dataChange: true,
      stats,
    }
    await table.commit({ adds: [add], operation: 'WRITE' })
  }
  await table.settled()
}

/** Milliseconds to open the table in fresh processes, imports left out. */
function openTimes(folder: string): readonly number[] {
  return Array.from({ length: 9 }, () => {
    const { stdout } = spawnSync(process.execPath, [openProbe, folder], { encoding: 'utf8' })
    return Number(stdout)
  }).toSorted((a, b) => a - b)
}

export const promised: Promised = {
  id: 'C7',
  title: 'one device-day of 90 days x 10,000 devices; a log of 10,000 commits',
  unit: 'ms',
  bar: '<= 100 ms warm, <= 5 % of the files; 10,000 commits with checkpoints open in <= 200 ms',
  quick: false,
  limitSeconds: 1800,
  run: async (report) => {
    const folder = temporaryFolder('c7')
    const { connection, close } = await openDatabase()
    try {
      const size = {
        dayCount: numberFlag('days', 90),
        deviceCount: numberFlag('devices', 10_000),
      }
      const fleet = join(folder.path, 'fleet')
      await writeFleet(connection, fleet, size, report)
      const asked = await askForDeviceDays(connection, fleet, size)
      const commits = join(folder.path, 'commits')
      // Half-way between two checkpoints, so that commits are left to replay.
      const commitCount = numberFlag('commits', 10_000) + 50
      await writeCommits(commits, commitCount)
      report(`${commitCount} commits written`)
      const opened = openTimes(commits)
      const openMs = opened[4] ?? Number.POSITIVE_INFINITY
      return {
        ok: asked.wrong === 0 && asked.p95Ms <= 100 && asked.openedShare <= 0.05 && openMs <= 200,
        value: Math.round(asked.medianMs * 10) / 10,
        detail: { ...asked, ...size, commitCount, openMs, openRangeMs: [opened[0], opened.at(-1)] },
      }
    } finally {
      close()
      folder.remove()
    }
  },
}
