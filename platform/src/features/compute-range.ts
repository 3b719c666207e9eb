import { IsothermError } from '../contracts/index.ts'
import type { LakeTable } from '../lake/index.ts'
import { computeWindows, createPending, type FeatureSource, pendingRows } from './emission.ts'
import { featureVersion } from './feature-version.ts'
import { windowRules } from './window-rules.ts'

/** Which windows to compute from which readings. */
export type RangeRequest = FeatureSource & {
  /** `device_features`, for the columns of the result. */
  readonly features: LakeTable
  readonly durationMinutes: number
  /** Window starts, half-open, epoch ms; aligned. */
  readonly startMs: number
  readonly endMs: number
  /** Temporary table (device_id, start_ms) of the only windows wanted. */
  readonly keys?: string
  /** Written as `computed_at`. */
  readonly nowMs: number
}

/**
 * Computes windows with the definitions of the live job and commits nothing (FEA-4).
 * @returns name of a temporary table with the columns of `device_features`, replaced by the next call
 * @throws IsothermError INPUT_INVALID for a duration the fleet does not have
 */
export async function computeRange(request: RangeRequest): Promise<string> {
  const { connection, features, durationMinutes, startMs, endMs, keys, nowMs } = request
  const rule = windowRules(request.fleet).find(({ minutes }) => minutes === durationMinutes)
  if (rule === undefined) {
    throw new IsothermError(
      'INPUT_INVALID',
      `fleet ${request.fleet.name} has no windows of ${durationMinutes} min; it has ` +
        request.fleet.windowMinutes.join(', '),
    )
  }
  await createPending(connection, features)
  const provenance = {
    rule,
    featureVersion: featureVersion(request.fleet),
    cleanVersion: request.cleanSnapshot.version,
    nowMs,
    finalUntilMs: 0,
    lateFinalUntilMs: 0,
  }
  const range = { startMs, endMs, ...(keys === undefined ? {} : { keys }) }
  await computeWindows(request, provenance, range)
  return pendingRows
}
