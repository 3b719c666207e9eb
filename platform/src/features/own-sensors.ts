import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'

/** Temporary table of the devices whose registry row lists their sensors. */
export const ownSensorsTable = 'own_sensor_counts'

/**
 * A device that never had some of the fleet's sensors is a profile of its own (FEA-2, ING-3): its
 * completeness counts the sensors its registry row lists, or a unit with six of ten sensors would
 * be unfit for training for ever. Devices without such a list count all sensors of the fleet.
 */
export async function createOwnSensors(
  connection: DuckDBConnection,
  devices: readonly DeviceRow[],
): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${ownSensorsTable} (device_id VARCHAR, sensor_count INTEGER)`,
  )
  const counts = new Map<string, number>()
  for (const { device_id, expected_sensors } of devices) {
    if (expected_sensors !== null && expected_sensors.length > 0) {
      counts.set(device_id, expected_sensors.length)
    }
  }
  const byCount = Map.groupBy([...counts.keys()].toSorted(), (id) => counts.get(id) ?? 0)
  for (const [count, ids] of byCount) {
    await connection.run(
      `INSERT INTO ${ownSensorsTable} SELECT unnest([${ids.map(sqlText).join(', ')}]), ${count}`,
    )
  }
}
