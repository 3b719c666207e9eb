import { filesByVersion } from '../clean/index.ts'
import { type DeviceRow, quoteName } from '../contracts/index.ts'
import type { JobContext } from '../lake/index.ts'
import { createDeviceSlices } from './device-slices.ts'
import { sliceNames } from './slice-names.ts'

/** Position of this job; the version is that of the clean table. */
const positionId = 'quality/daily-summary'

/**
 * Adds what is new in the clean table to `data_quality_daily_summary` (CON-49): rows, rows per flag
 * and nulls per sensor, per date, site and firmware. Counts add up, so the rows of a date are summed
 * when read and late readings only add to them. Safe to run again after a crash.
 * @returns rows of the clean table that were counted
 */
export async function summaryJob(
  { lake, nowMs }: JobContext,
  devices: readonly DeviceRow[],
): Promise<number> {
  const clean = lake.table('clean_sensor_readings')
  const summary = lake.table('data_quality_daily_summary')
  const snapshot = await clean.snapshot()
  const from = (await summary.position(positionId)) ?? -1
  if (from >= snapshot.version) return 0
  const versions = await filesByVersion(clean, from, snapshot.version)
  const files = versions.flatMap((version) => version.files)
  const relation = clean.relation(snapshot, files)
  const nulls = lake.fleet.sensors.map(
    ({ name }) => `'null:${name}': count_if(${quoteName(name)} IS NULL)`,
  )
  await lake.withConnection(async (connection) => {
    const slices = await createDeviceSlices(connection, devices)
    await sliceNames(connection, slices)
    await connection.run(`CREATE OR REPLACE TEMP TABLE counted AS
      SELECT date, coalesce(slice, -1) AS slice, count(*) AS readings,
        MAP {${nulls.join(', ')}} AS nulls
      FROM ${relation} LEFT JOIN device_slices ON registered_id = device_id GROUP BY ALL`)
    await summary.write({
      connection,
      query: `SELECT date, site_id, firmware_version, measure, row_count FROM (
          SELECT date, slice, 'readings' AS measure, readings AS row_count FROM counted
          UNION ALL SELECT date, slice, entry.key, entry.value
            FROM (SELECT date, slice, unnest(map_entries(nulls)) AS entry FROM counted)
          UNION ALL SELECT date, coalesce(slice, -1), 'flag:' || flag, count(*)
            FROM (SELECT date, device_id, unnest(quality_flags) AS flag FROM ${relation})
            LEFT JOIN device_slices ON registered_id = device_id GROUP BY ALL)
        LEFT JOIN slice_names USING (slice) WHERE row_count > 0`,
      positions: [{ appId: positionId, version: snapshot.version }],
      operation: 'SUMMARY',
      nowMs,
    })
  })
  return versions.reduce((sum, { rowCount }) => sum + rowCount, 0)
}
