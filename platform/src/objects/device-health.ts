import type { Severity } from '../contracts/index.ts'

const minuteMs = 60_000

/** How usable the newest score is, SRV-35; `none` before the first one. */
export type ScoreState = 'none' | 'fresh' | 'stale' | 'very_stale' | 'expired'

/** Age limits of scores, SRV-35. */
export function scoreState(scoredAtMs: number | undefined, nowMs: number): ScoreState {
  if (scoredAtMs === undefined) return 'none'
  const ageMinutes = (nowMs - scoredAtMs) / minuteMs
  if (ageMinutes <= 75) return 'fresh'
  if (ageMinutes <= 120) return 'stale'
  return ageMinutes <= 240 ? 'very_stale' : 'expired'
}

/** State of a device at a glance, OBJ-4. */
export type HealthStatus = 'healthy' | 'warning' | 'critical' | 'offline'

/**
 * A span given for devices that report each minute, for a device's own interval: a unit that
 * reports every five minutes is silent five times later (CON-42).
 */
export function scaledSpanMs(minutes: number, reportingIntervalS: number): number {
  return minutes * minuteMs * Math.max(1, reportingIntervalS / 60)
}

/** Minutes of silence after which a device that reports each minute is offline, SRV-20. */
const offlineAfterMinutes = 15
/** Score above which a device without alert still deserves a look, OBJ-4. */
const warningScore = 0.7

/** True after more silence than SRV-20 allows; a device never heard is offline. */
export function isOffline(
  lastReadingMs: number | undefined,
  reportingIntervalS: number,
  nowMs: number,
): boolean {
  return (
    lastReadingMs === undefined ||
    nowMs - lastReadingMs > scaledSpanMs(offlineAfterMinutes, reportingIntervalS)
  )
}

/** Health of a device: the first rule that matches, OBJ-4. */
export function healthStatus(device: {
  readonly offline: boolean
  readonly highestSeverity: Severity | undefined
  readonly score: number | undefined
}): HealthStatus {
  if (device.offline) return 'offline'
  if (device.highestSeverity === 'CRITICAL' || device.highestSeverity === 'HIGH') return 'critical'
  if (device.highestSeverity === 'MEDIUM' || (device.score ?? 0) > warningScore) return 'warning'
  return 'healthy'
}
