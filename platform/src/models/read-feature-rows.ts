import type { Lake } from '../lake/index.ts'
import type { FeatureRows, FleetDevice } from './feature-rows.ts'
import { featureSource, sqlText, type WindowRange } from './feature-source.ts'
import { allFeatureNames, cohortsOf, readStaged, stageFeatures } from './stage-features.ts'

/** Which feature rows to read. */
export type FeatureRowsRequest = {
  readonly durationMinutes: number
  /** Window starts, half-open. */
  readonly range: WindowRange
  /** Registry rows, for cohorts. */
  readonly devices: readonly FleetDevice[]
  /** Default: every numeric feature of the fleet. */
  readonly columns?: readonly string[]
  /** Only these devices; default all. */
  readonly deviceIds?: readonly string[]
  /** Version of `device_features`; default the newest. */
  readonly version?: number
}

/**
 * Feature rows of a time range sorted by device and window, nulls as NaN, with what FEA-43 may
 * carry forward for them. The caller bounds the range: everything is held in memory.
 */
export async function readFeatureRows(
  lake: Lake,
  request: FeatureRowsRequest,
): Promise<FeatureRows> {
  const { durationMinutes, range, devices, deviceIds, version } = request
  const columns = request.columns ?? allFeatureNames(lake.fleet)
  const source = await featureSource(lake, durationMinutes, version)
  return lake.withConnection(async (connection) => {
    const staged = await stageFeatures(connection, {
      source,
      range,
      columns,
      tableName: 'read_rows',
      ...(deviceIds === undefined
        ? {}
        : { where: `device_id IN (${deviceIds.map(sqlText).join(', ') || 'NULL'})` }),
    })
    return readStaged(staged, 0, staged.rowCount, cohortsOf(devices))
  })
}
