import { type FleetDefinition, featureColumns, quoteName } from '../../contracts/index.ts'
import type { Lake } from '../../lake/index.ts'
import type { FeaturesView } from '../schemas/series-schema.ts'
import { readRows, relationWhere } from './live-files.ts'
import { type DeviceScope, readReferenceLevels } from './reference-levels.ts'

type Row = Readonly<Record<string, unknown>>

/** Partition dates looked at before the whole table is: a device that reports is in them. */
const recentDateCount = 3

async function newestRows(lake: Lake, deviceId: string, relation: string): Promise<readonly Row[]> {
  const features = featureColumns(lake.fleet).map(({ name }) => `${quoteName(name)}::DOUBLE`)
  const names = featureColumns(lake.fleet).map(({ name }) => quoteName(name))
  return readRows(
    lake,
    `SELECT epoch_ms(window_start)::DOUBLE AS window_start,
       epoch_ms(window_end)::DOUBLE AS window_end, window_duration_minutes,
       operating_mode, is_final,
       ${features.map((feature, index) => `${feature} AS ${names[index]}`).join(', ')}
     FROM ${relation} WHERE device_id = $device
     QUALIFY row_number() OVER (
       PARTITION BY window_duration_minutes ORDER BY window_start DESC) = 1
     ORDER BY window_duration_minutes`,
    { device: deviceId },
  )
}

async function rowsOf(lake: Lake, deviceId: string): Promise<readonly Row[]> {
  const { files } = await lake.table('device_features').snapshot()
  const dates = [...new Set(files.map((file) => file.partitionValues.window_date ?? ''))].toSorted()
  const firstRecent = dates.at(-recentDateCount) ?? dates[0] ?? ''
  const ofDevice = { device_id: { min: deviceId, max: deviceId } }
  const recent = await relationWhere(lake, 'device_features', {
    ...ofDevice,
    window_date: { min: firstRecent },
  })
  const rows = recent === undefined ? [] : await newestRows(lake, deviceId, recent)
  if (rows.length > 0) return rows
  const all = await relationWhere(lake, 'device_features', ofDevice)
  return all === undefined ? [] : newestRows(lake, deviceId, all)
}

/** What an unusual feature usually means, FEA-21. */
export function hintOf(
  fleet: FleetDefinition,
  feature: string,
  direction: 'high' | 'low' | null,
): string | null {
  const hint = fleet.hints.find((item) => item.feature === feature && item.direction === direction)
  return hint?.text ?? null
}

/** Newest feature row of a device per duration, each value beside what is normal for it. */
export async function latestFeatures(
  lake: Lake,
  device: DeviceScope,
): Promise<FeaturesView['windows']> {
  const [rows, levels] = await Promise.all([
    rowsOf(lake, device.deviceId),
    readReferenceLevels(lake, [device]),
  ])
  return rows.map((row) => {
    const minutes = Number(row.window_duration_minutes)
    return {
      window_start: new Date(Number(row.window_start)).toISOString(),
      window_end: new Date(Number(row.window_end)).toISOString(),
      window_duration_minutes: minutes,
      reading_count: Number(row.reading_count),
      sensor_completeness: Number(row.sensor_completeness),
      operating_mode: typeof row.operating_mode === 'string' ? row.operating_mode : null,
      is_final: typeof row.is_final === 'boolean' ? row.is_final : null,
      features: featureColumns(lake.fleet).map(({ name, label, unit, group }) => {
        const value = typeof row[name] === 'number' ? row[name] : null
        const normal = levels.of(device, name, minutes)
        const direction =
          value === null || normal === null ? null : value >= normal.median ? 'high' : 'low'
        const isOutside =
          value !== null && normal !== null && (value < normal.low || value > normal.high)
        return {
          feature: name,
          label,
          unit,
          group,
          value,
          normal,
          hint: isOutside ? hintOf(lake.fleet, name, direction) : null,
        }
      }),
    }
  })
}
