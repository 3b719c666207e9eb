import {
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { createSlices, type Slice } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'

/** Rows of one data chunk; DuckDB's vector size. */
const chunkRows = 2048

/** The newest registry row of each device. */
export function currentDevices(devices: readonly DeviceRow[]): readonly DeviceRow[] {
  const newest = new Map<string, DeviceRow>()
  for (const device of devices) {
    const known = newest.get(device.device_id)
    if (known === undefined || known.valid_from < device.valid_from) {
      newest.set(device.device_id, device)
    }
  }
  return [...newest.values()]
}

/**
 * Creates the temporary table `device_slices` (registered_id, slice, interval_s) by the registry of
 * now; returns the slices that its numbers mean.
 */
export async function createDeviceSlices(
  connection: DuckDBConnection,
  devices: readonly DeviceRow[],
): Promise<readonly Slice[]> {
  const current = currentDevices(devices)
  const { slices, indexOf } = createSlices(current)
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE device_slices (registered_id VARCHAR, slice INTEGER, interval_s INTEGER)',
  )
  const appender = await connection.createAppender('device_slices', undefined, 'temp')
  const types = [VARCHAR, INTEGER, INTEGER]
  for (let start = 0; start < current.length; start += chunkRows) {
    const rows = current
      .slice(start, start + chunkRows)
      .map((device): DuckDBValue[] => [
        device.device_id,
        indexOf(device),
        device.reporting_interval_s,
      ])
    const chunk = DuckDBDataChunk.create(types, rows.length)
    chunk.setRows(rows)
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  return slices
}
