import type { Lake } from '../lake/index.ts'
import type { SensorFault } from './sensor-grade.ts'
import { type FaultySensor, gradedAtMs } from './sensor-job.ts'

/** Sensors found weak or dead when they were last graded. */
export type SensorList = {
  /** End of the stretch that was graded, epoch ms; undefined before the first. */
  readonly gradedAtMs: number | undefined
  /** Dead ones first, then by device. */
  readonly sensors: readonly FaultySensor[]
}

/** The newest grades; usable sensors are not listed. */
export async function faultySensors(lake: Lake, limit: number): Promise<SensorList> {
  const atMs = await gradedAtMs(lake)
  if (atMs < 0) return { gradedAtMs: undefined, sensors: [] }
  const table = lake.table('sensor_health')
  const relation = table.relation(await table.snapshot())
  const rows = await lake.withConnection(async (connection) =>
    (
      await connection.runAndReadAll(`SELECT device_id, sensor_name, grade, reason, detail, share,
          row_count::DOUBLE
        FROM ${relation} WHERE epoch_ms(graded_at) = ${atMs}
        ORDER BY grade, device_id, sensor_name LIMIT ${limit}`)
    ).getRowsJS(),
  )
  return {
    gradedAtMs: atMs,
    sensors: rows.map(([deviceId, sensor, grade, reason, detail, share, rowCount]) => ({
      deviceId: String(deviceId),
      sensor: String(sensor),
      grade: grade === 'dead' ? 'dead' : 'weak',
      reason: String(reason) as SensorFault,
      detail: String(detail),
      share: Number(share),
      rowCount: Number(rowCount),
    })),
  }
}
