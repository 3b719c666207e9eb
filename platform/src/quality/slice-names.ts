import type { DuckDBConnection } from '@duckdb/node-api'
import { type Slice, sqlText } from '../clean/index.ts'

/** Slices written in one statement. */
const stepSize = 1_000

/** Creates the temporary table `slice_names` (slice, site_id, firmware_version). */
export async function sliceNames(
  connection: DuckDBConnection,
  slices: readonly Slice[],
): Promise<void> {
  await connection.run(
    'CREATE OR REPLACE TEMP TABLE slice_names (slice INTEGER, site_id VARCHAR, firmware_version VARCHAR)',
  )
  const rows = slices.map(
    ({ siteId, firmware }, index) => `(${index}, ${sqlText(siteId)}, ${sqlText(firmware)})`,
  )
  for (let start = 0; start < rows.length; start += stepSize) {
    await connection.run(
      `INSERT INTO slice_names VALUES ${rows.slice(start, start + stepSize).join(', ')}`,
    )
  }
}
