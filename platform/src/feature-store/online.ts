import { featureColumns } from '../contracts/index.ts'
import { completeUntilMs } from '../features/index.ts'
import type { Lake } from '../lake/index.ts'
import {
  type DayMeans,
  type OnlineRow,
  readAddedRows,
  readDayMeans,
  readNewestRows,
} from './online-rows.ts'

/** Everything served for one device. */
export type OnlineRecord = {
  readonly deviceId: string
  /** Newest row per duration, shortest first. */
  readonly rows: readonly OnlineRow[]
  readonly day: DayMeans | null
}

/** The online view: the newest features of each device, held in memory, rebuilt from the table. */
export type OnlineFeatures = {
  /** Names of the values of a row, in order. */
  readonly columns: readonly string[]
  /** Names of the means of a day, in order. */
  readonly dayColumns: readonly string[]
  /** A look into memory; undefined for a device without a row in the last days. */
  readonly lookup: (deviceId: string) => OnlineRecord | undefined
  /** Takes over what the table got since the last call; the first call reads the newest days. */
  readonly refresh: (nowMs: number) => Promise<{ readonly rowCount: number }>
  readonly rows: () => IterableIterator<OnlineRow>
  /** Version of `device_features` served, and when it was read; undefined before the first. */
  readonly served: () => { readonly version: number; readonly atMs: number } | undefined
}

/** Opens an empty view; `refresh` fills it. About 1 kB per device and duration. */
export function openOnlineFeatures(lake: Lake): OnlineFeatures {
  const catalogue = featureColumns(lake.fleet)
  const columns = catalogue.map(({ name }) => name)
  const dayColumns = catalogue.filter(({ name }) => name.endsWith('_mean')).map(({ name }) => name)
  const durations = lake.fleet.windowMinutes.toSorted((a, b) => a - b)
  const rows = new Map<string, OnlineRow>()
  let days: ReadonlyMap<string, DayMeans> = new Map()
  let daysUntilMs: number | undefined
  let served: { readonly version: number; readonly atMs: number } | undefined
  const keyOf = (deviceId: string, minutes: number) => `${minutes}/${deviceId}`

  return {
    columns,
    dayColumns,
    lookup: (deviceId) => {
      const own = durations.flatMap((minutes) => rows.get(keyOf(deviceId, minutes)) ?? [])
      return own.length === 0 ? undefined : { deviceId, rows: own, day: days.get(deviceId) ?? null }
    },
    refresh: async (nowMs) => {
      const snapshot = await lake.table('device_features').snapshot()
      const found =
        served === undefined
          ? await readNewestRows(lake, snapshot, columns)
          : await readAddedRows(lake, snapshot, served.version, columns)
      for (const row of found) {
        const key = keyOf(row.deviceId, row.durationMinutes)
        const known = rows.get(key)
        // A backfill of old windows never takes the place of a newer row.
        if (known === undefined || row.windowStartMs >= known.windowStartMs) rows.set(key, row)
      }
      const untilMs = await completeUntilMs(lake, 60)
      if (untilMs !== undefined && (untilMs !== daysUntilMs || found.length > 0)) {
        days = await readDayMeans(lake, snapshot, untilMs, dayColumns)
        daysUntilMs = untilMs
      }
      served = { version: snapshot.version, atMs: nowMs }
      return { rowCount: found.length }
    },
    rows: () => rows.values(),
    served: () => served,
  }
}
