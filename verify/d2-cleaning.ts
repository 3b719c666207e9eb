import { join } from 'node:path'
import { refrigeration } from '@isotherm/fleet-refrigeration'
import { type CleanInput, cleanJob, releaseJob } from 'isotherm/clean'
import { type DeviceRow, newDevice } from 'isotherm/contracts'
import { type Lake, openLake } from 'isotherm/lake'
import { faultyRows, kinds, landingQuery, twinFlags, versionCount } from './faulty-readings.ts'
import type { Promised } from './promise.ts'
import { temporaryFolder } from './system.ts'

const startMs = Date.UTC(2026, 2, 3)
const nowMs = startMs + 3 * 86_400_000
/** Rows before repeats and gaps; `--count=50000` for a smaller run. */
const rowCount = Number(
  process.argv.find((word) => word.startsWith('--count='))?.slice('--count='.length) ?? 1_000_000,
)

type Connection = Parameters<Parameters<Lake['withConnection']>[0]>[0]

const rowsOf = async (connection: Connection, query: string) =>
  (await connection.runAndReadAll(query)).getRowsJS()

async function relationOf(lake: Lake, name: string): Promise<string> {
  const table = lake.table(name)
  return table.relation(await table.snapshot())
}

function registry(deviceIds: readonly unknown[]): readonly DeviceRow[] {
  return deviceIds.map((deviceId) =>
    newDevice({
      ...{ device_id: String(deviceId), valid_from: startMs, site_id: 'SITE-D2' },
      ...{ equipment_class: 'refrigeration', firmware_version: '3.6' },
    }),
  )
}

/** Planted and found per kind; false ones are rows that differ from what the twin expects. */
async function compare(connection: Connection, lake: Lake) {
  const clean = await relationOf(lake, 'clean_sensor_readings')
  const quarantine = await relationOf(lake, 'quarantine_sensor_readings')
  const letters = await relationOf(lake, 'dead_letter_messages')
  const removed = await relationOf(lake, 'removed_duplicates')
  const sensors = refrigeration.sensors.map(({ name }) => name)
  // What an honest reader would keep of each planted row, from the plan alone.
  const kept = sensors.map((name) => `clean.${name} IS NOT DISTINCT FROM expected.kept_${name}`)
  await connection.run(`CREATE OR REPLACE TEMP TABLE compared AS
    SELECT expected.*, clean.quality_flags AS found_flags,
      clean.event_id IS NOT NULL AS is_clean, quarantine.quarantine_reason AS found_reason,
      letters.event_id IS NOT NULL AS is_letter, coalesce(removed.copies, 0) AS found_copies,
      clean.event_id IS NULL OR (${kept.join(' AND ')}) AS has_values,
      clean.event_id IS NULL OR epoch_us(clean.timestamp_utc) = epoch_us(expected.true_time)
        AS has_time
    FROM expected
    LEFT JOIN ${clean} AS clean ON clean.event_id = expected.event_id
    LEFT JOIN ${quarantine} AS quarantine ON quarantine.event_id = expected.event_id
    LEFT JOIN ${letters} AS letters ON letters.event_id = expected.event_id
    LEFT JOIN (SELECT event_id, count(*) AS copies FROM ${removed} GROUP BY ALL) AS removed
      ON removed.event_id = expected.event_id`)
  const isFound = `CASE fate
    WHEN 'quarantine' THEN NOT is_clean AND found_reason = reason
    WHEN 'letter' THEN NOT is_clean AND is_letter
    ELSE is_clean AND found_flags = flags AND has_values AND has_time AND found_copies = copies
      AND NOT is_letter AND found_reason IS NULL END`
  const perKind = await rowsOf(
    connection,
    `SELECT kind, count(*)::DOUBLE, count_if(${isFound})::DOUBLE FROM compared GROUP BY kind ORDER BY kind`,
  )
  return new Map(
    perKind.map(([kind, planted, found]) => [
      String(kind),
      { planted: Number(planted), found: Number(found) },
    ]),
  )
}

/** A million rows with faults of every kind: each found, nothing else touched, the books balance. */
export const promised: Promised = {
  id: 'D2',
  title: `${rowCount} rows with ${kinds.length} kinds of fault: all found, no clean row touched, books balance, replay leaves none`,
  unit: 'faults missed, clean rows touched, and rows unaccounted for or left after replay',
  bar: '0',
  quick: false,
  limitSeconds: 900,
  run: async (report) => {
    const folder = temporaryFolder('d2')
    const lake = await openLake({
      ...{ directory: join(folder.path, 'tables'), fleet: refrigeration, threadCount: 2 },
    })
    try {
      return await lake.withConnection(async (connection) => {
        await connection.run(faultyRows(rowCount, startMs))
        const landing = lake.table('raw_sensor_readings')
        for (let version = 0; version < versionCount; version++) {
          await landing.write({
            ...{ connection, operation: 'LAND', nowMs, keepsOrder: true },
            query: landingQuery(refrigeration, landing.contract, version),
          })
        }
        await connection.run(twinFlags(refrigeration))
        const known = await rowsOf(
          connection,
          "SELECT DISTINCT device_id FROM plan WHERE NOT starts_with(device_id, 'ghost')",
        )
        const input: CleanInput = {
          devices: registry(known.map(([id]) => id)),
          registryVersion: '1',
          maxRowsPerCommit: 1,
        }
        report('landed')
        const books = await cleanJob({ lake, nowMs }, input)
        report(JSON.stringify(books))
        const perKind = await compare(connection, lake)
        const missed = [...perKind].flatMap(([kind, { planted, found }]) =>
          found === planted && planted > 0 ? [] : [`${kind}: ${found} of ${planted}`],
        )
        const accounted =
          books.rowCount +
          books.quarantinedCount +
          books.duplicateCount +
          books.foldedCount +
          books.deadLetterCount
        const [landed] = await rowsOf(
          connection,
          `SELECT count(*)::DOUBLE FROM ${await relationOf(lake, 'raw_sensor_readings')}`,
        )
        const all = await rowsOf(connection, 'SELECT DISTINCT device_id FROM plan')
        await releaseJob(
          { lake, nowMs },
          {
            ...{ devices: registry(all.map(([id]) => id)), registryVersion: '2' },
            knownSchemaMajors: ['1', '2', '9'],
          },
        )
        const [left] = await rowsOf(
          connection,
          `SELECT count_if(released_at IS NULL)::DOUBLE, count(*)::DOUBLE,
            (SELECT count(*)::DOUBLE FROM ${await relationOf(lake, 'clean_sensor_readings')} AS clean
              JOIN expected USING (event_id)
              WHERE fate = 'quarantine' AND clean.temperature_evaporator = expected.kept_temperature_evaporator)
          FROM ${await relationOf(lake, 'quarantine_sensor_readings')}`,
        )
        const unaccounted = Math.abs(Number(landed?.[0]) - accounted)
        const notReleased = Number(left?.[0]) + (Number(left?.[1]) - Number(left?.[2]))
        const missedCount = [...perKind.values()].reduce(
          (sum, { planted, found }) => sum + planted - found,
          0,
        )
        const value = missedCount + unaccounted + notReleased
        return {
          ok: value === 0 && missed.length === 0,
          value,
          detail: { perKind: Object.fromEntries(perKind), missed, books, unaccounted, notReleased },
        }
      })
    } finally {
      await lake.close()
      folder.remove()
    }
  },
}
