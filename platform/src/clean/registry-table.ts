import {
  BIGINT,
  BOOLEAN,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import type { DeviceRow, FleetDefinition } from '../contracts/index.ts'
import { expectedSensors } from './expected-sensors.ts'
import { createSlices, type Slice } from './fleet-slices.ts'
import { maskOf } from './sensor-mask.ts'

/** Rows of one data chunk; DuckDB's vector size. */
const chunkRows = 2048

/** Silence that makes the next row a READING_GAP, CON-8; slow reporters get five intervals. */
const gapFloorUs = 5 * 60 * 1_000_000

/** From the beginning and to the end of time, microseconds; inside the range of TIMESTAMPTZ. */
const beginningUs = -(2n ** 60n)
const endUs = 2n ** 60n

type RegistryEntry = {
  readonly device: DeviceRow
  readonly validFromUs: bigint
  readonly validToUs: bigint
}

/**
 * Versions of every device, made to cover all time: the first holds also before it began (imported
 * history is older than its registration), each until the next one starts.
 */
function entriesOf(devices: readonly DeviceRow[]): readonly RegistryEntry[] {
  const byDevice = Map.groupBy(devices, ({ device_id }) => device_id)
  return [...byDevice.values()].flatMap((versions) => {
    const ordered = versions.toSorted((a, b) => a.valid_from - b.valid_from)
    return ordered.map((device, index) => {
      const next = ordered[index + 1]
      return {
        device,
        validFromUs: index === 0 ? beginningUs : BigInt(device.valid_from) * 1000n,
        validToUs: next === undefined ? endUs : BigInt(next.valid_from) * 1000n,
      }
    })
  })
}

function cellsOf(
  fleet: FleetDefinition,
  entry: RegistryEntry,
  slice: number,
): readonly DuckDBValue[] {
  const { device, validFromUs, validToUs } = entry
  const gapUs = Math.max(gapFloorUs, 5 * device.reporting_interval_s * 1_000_000)
  return [
    device.device_id,
    validFromUs,
    validToUs,
    device.equipment_class,
    device.pressure_reference === 'gauge',
    maskOf(fleet, expectedSensors(fleet, device)),
    BigInt(gapUs),
    device.firmware_version,
    slice,
  ]
}

/**
 * Creates the temporary table `registry`: one row per device version, pinned for the run, CON-14.
 * @returns whether a device has several versions: without, the join need not look at the time; and
 *   the slices of the fleet, which the column `slice` numbers
 */
export async function createRegistryTable(
  connection: DuckDBConnection,
  fleet: FleetDefinition,
  devices: readonly DeviceRow[],
): Promise<{ readonly isVersioned: boolean; readonly slices: readonly Slice[] }> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE registry (registered_id VARCHAR,
    valid_from_us BIGINT, valid_to_us BIGINT, equipment_class VARCHAR, is_gauge BOOLEAN,
    expected_mask BIGINT, gap_us BIGINT, firmware_version VARCHAR,
    slice INTEGER)`)
  const types = [VARCHAR, BIGINT, BIGINT, VARCHAR, BOOLEAN, BIGINT, BIGINT, VARCHAR, INTEGER]
  const { slices, indexOf } = createSlices(devices)
  const appender = await connection.createAppender('registry', undefined, 'temp')
  const entries = entriesOf(devices)
  for (let start = 0; start < entries.length; start += chunkRows) {
    const rows = entries
      .slice(start, start + chunkRows)
      .map((entry) => cellsOf(fleet, entry, indexOf(entry.device)))
    const chunk = DuckDBDataChunk.create(types, rows.length)
    chunk.setRows(rows)
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
  const isVersioned = new Set(devices.map(({ device_id }) => device_id)).size < entries.length
  return { isVersioned, slices }
}
