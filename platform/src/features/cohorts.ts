import type { DuckDBConnection } from '@duckdb/node-api'
import { sqlText } from '../clean/index.ts'
import type { DeviceRow } from '../contracts/index.ts'

/** Temporary table (device_id, cohort_id) of devices that have peers. */
export const cohortTable = 'device_cohorts'

/** Fills `cohortTable` from registry rows; devices without a cohort have no peers. */
export async function createCohorts(
  connection: DuckDBConnection,
  devices: readonly Pick<DeviceRow, 'device_id' | 'cohort_id'>[],
): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE ${cohortTable} (device_id VARCHAR, cohort_id VARCHAR)`,
  )
  const byCohort = Map.groupBy(devices, ({ cohort_id }) => cohort_id ?? '')
  for (const [cohort, members] of byCohort) {
    if (cohort === '') continue
    const ids = members.map(({ device_id }) => sqlText(device_id)).toSorted()
    await connection.run(
      `INSERT INTO ${cohortTable} SELECT unnest([${ids.join(', ')}]), ${sqlText(cohort)}`,
    )
  }
}
