import type { Snapshot } from '@isotherm/delta'
import { watermarkPrefix } from '../clean/index.ts'
import type { Lake } from '../lake/index.ts'
import { watermarkOf } from './window-rules.ts'

/** Version of the clean table up to which late rows were looked at. */
export const cleanPosition = 'features/clean_sensor_readings'

/** End of the newest emitted window of a duration, epoch seconds. */
export const completePosition = (minutes: number) => `features/complete/${minutes}`
/** End of the newest window whose ordinary rows are final, epoch seconds. */
export const finalPosition = (minutes: number) => `features/final/${minutes}`
/** End of the newest window whose rows created by late readings are final, epoch seconds. */
export const lateFinalPosition = (minutes: number) => `features/late-final/${minutes}`

/** A stored position in epoch ms, or undefined. */
export function positionMs(snapshot: Snapshot, appId: string): number | undefined {
  const seconds = snapshot.transactions.get(appId)
  return seconds === undefined ? undefined : seconds * 1000
}

/**
 * End of the newest window of a duration that is written for all devices, epoch ms; undefined before
 * the first. Everything before it may be scored. Costs one look at the table's newest version.
 */
export async function completeUntilMs(
  lake: Lake,
  durationMinutes: number,
): Promise<number | undefined> {
  return positionMs(
    await lake.table('device_features').snapshot(),
    completePosition(durationMinutes),
  )
}

/** Watermark by what cleansing has processed of each log partition, FEA-10. */
export function cleanWatermark(cleanSnapshot: Snapshot): number | undefined {
  const newest = [...cleanSnapshot.transactions]
    .filter(([appId]) => appId.startsWith(watermarkPrefix))
    .map(([, newestMs]) => newestMs)
  return watermarkOf(newest)
}

/** Positions that advance; a commit may not repeat or lower one. */
export function advancing(
  snapshot: Snapshot,
  positions: readonly { readonly appId: string; readonly version: number }[],
): readonly { readonly appId: string; readonly version: number }[] {
  return positions.filter(
    ({ appId, version }) =>
      Number.isFinite(version) && version > (snapshot.transactions.get(appId) ?? -1),
  )
}
