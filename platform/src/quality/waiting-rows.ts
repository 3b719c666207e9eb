import { sqlText } from '../clean/index.ts'
import { type DeviceRow, IsothermError } from '../contracts/index.ts'
import type { JobContext, Lake } from '../lake/index.ts'
import { createDeviceSlices } from './device-slices.ts'
import type { GateScope } from './gate-entry.ts'

/** Rows of units that were unknown when they came wait too, once a gate held them at their release. */
const waitingSql = "released_at IS NULL AND quarantine_reason IN ('GATE_FAILED', 'DEVICE_UNKNOWN')"
/** Races with compaction that are run again. */
const maxAttempts = 5

/** Rows that wait behind gates, per site and firmware. */
export async function waitingCounts(
  lake: Lake,
  devices: readonly DeviceRow[],
): Promise<readonly (GateScope & { readonly rowCount: number })[]> {
  const table = lake.table('quarantine_sensor_readings')
  return await lake.withConnection(async (connection) => {
    const slices = await createDeviceSlices(connection, devices)
    const reader = await connection.runAndReadAll(`SELECT slice, count(*)::DOUBLE
      FROM ${table.relation(await table.snapshot())}
      JOIN device_slices ON registered_id = device_id WHERE ${waitingSql} GROUP BY slice`)
    return reader.getRowsJS().flatMap(([index, count]) => {
      const slice = slices[Number(index)]
      return slice === undefined
        ? []
        : [{ siteId: slice.siteId, firmware: slice.firmware, rowCount: Number(count) }]
    })
  })
}

/** Gives up the rows of some devices that wait behind a gate; they stay in quarantine for ever. */
export async function discardWaiting(
  { lake, nowMs }: JobContext,
  deviceIds: readonly string[],
): Promise<void> {
  if (deviceIds.length === 0) return
  const table = lake.table('quarantine_sensor_readings')
  const isGivenUp = `${waitingSql} AND device_id IN (${deviceIds.map(sqlText).join(', ')})`
  await lake.withConnection(async (connection) => {
    for (let attempt = 1; ; attempt++) {
      const snapshot = await table.snapshot()
      const replaces: (typeof snapshot.files)[number][] = []
      for (const file of snapshot.files) {
        const reader = await connection.runAndReadAll(
          `SELECT 1 FROM ${table.relation(snapshot, [file])} WHERE ${isGivenUp} LIMIT 1`,
        )
        if (reader.currentRowCount > 0) replaces.push(file)
      }
      if (replaces.length === 0) return
      try {
        await table.write({
          connection,
          query: `SELECT * REPLACE (CASE WHEN ${isGivenUp} THEN 'DISCARDED'
              ELSE quarantine_reason END AS quarantine_reason)
            FROM ${table.relation(snapshot, replaces)}`,
          replaces,
          readVersion: snapshot.version,
          operation: 'DISCARD',
          nowMs,
        })
        return
      } catch (error) {
        // Compaction was faster and replaced the same files: the next try sees its result.
        const isLost = error instanceof IsothermError && error.code === 'COMMIT_FAILED'
        if (!isLost || attempt === maxAttempts) throw error
      }
    }
  })
}
