import { type FeatureColumn, featureColumns } from '../../contracts/index.ts'
import type { Lake } from '../../lake/index.ts'
import type { Contributor } from '../schemas/alert-schema.ts'
import { readRows, relationWhere, sqlText } from './live-files.ts'

/** What is normal for one feature. */
export type Normal = NonNullable<Contributor['normal']>

/** The scopes of a device, for looking up what is normal for it. */
export type DeviceScope = { readonly deviceId: string; readonly cohortId: string | null }

/** Normal levels of features for devices, the narrowest known scope first. */
export type ReferenceLevels = {
  readonly of: (device: DeviceScope, feature: string, minutes: number) => Normal | null
}

const madToSigma = 1.4826
const iqrToSigma = 1 / 1.349

function normalOf(row: Readonly<Record<string, unknown>>, column: FeatureColumn): Normal {
  const number = (name: string) => Number(row[name] ?? 0)
  const candidates = [
    madToSigma * number('mad'),
    iqrToSigma * (number('baseline_p75') - number('baseline_p25')),
    number('baseline_std'),
  ]
  const spread = candidates.find((candidate) => candidate > 0) ?? 0
  return {
    median: number('baseline_p50'),
    low: number('baseline_p05'),
    high: number('baseline_p95'),
    spread: Math.max(spread, column.resolution),
    scope: row.granularity as Normal['scope'],
  }
}

function inList(values: readonly (string | null)[]): string {
  const texts = [...new Set(values.filter((value) => value !== null))].map(sqlText)
  return texts.length === 0 ? 'NULL' : texts.join(', ')
}

const noLevels: ReferenceLevels = { of: () => null }

/**
 * Reads what was normal in the newest training window, for the given devices: own statistics,
 * else those of the cohort, else of the fleet (MOD-15).
 */
export async function readReferenceLevels(
  lake: Lake,
  devices: readonly DeviceScope[],
): Promise<ReferenceLevels> {
  const relation = await relationWhere(lake, 'feature_baselines')
  if (relation === undefined) return noLevels
  const rows = await readRows(
    lake,
    `SELECT feature_name, granularity, cohort_id, device_id, window_duration_minutes,
       baseline_p05, baseline_p25, baseline_p50, baseline_p75, baseline_p95, baseline_std, mad
     FROM ${relation}
     WHERE granularity = 'fleet'
       OR (granularity = 'cohort' AND cohort_id IN (${inList(devices.map((d) => d.cohortId))}))
       OR (granularity = 'device' AND device_id IN (${inList(devices.map((d) => d.deviceId))}))
     QUALIFY row_number() OVER (
       PARTITION BY feature_name, granularity, cohort_id, device_id, window_duration_minutes
       ORDER BY computed_at DESC, model_id, model_version DESC) = 1`,
  )
  const columns = new Map(featureColumns(lake.fleet).map((column) => [column.name, column]))
  const levels = new Map<string, Normal>()
  for (const row of rows) {
    const column = columns.get(String(row.feature_name))
    if (column === undefined) continue
    const scope = row.granularity === 'cohort' ? row.cohort_id : row.device_id
    const key = `${row.granularity} ${scope ?? ''} ${row.window_duration_minutes} ${column.name}`
    levels.set(key, normalOf(row, column))
  }
  return {
    of: ({ deviceId, cohortId }, feature, minutes) =>
      levels.get(`device ${deviceId} ${minutes} ${feature}`) ??
      levels.get(`cohort ${cohortId ?? ''} ${minutes} ${feature}`) ??
      levels.get(`fleet  ${minutes} ${feature}`) ??
      null,
  }
}
