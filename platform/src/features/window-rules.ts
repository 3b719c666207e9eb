import type { FleetDefinition } from '../contracts/index.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** When the windows of a duration are written, corrected and closed, FEA-10. Milliseconds. */
export type WindowRule = {
  readonly minutes: number
  readonly lengthMs: number
  /** First emission when the watermark is this far behind the window's end. */
  readonly emissionDelayMs: number
  /** Readings that arrive later than this after the window's end no longer change its row. */
  readonly graceMs: number
}

/** Instants that decide which rows of a duration are final. */
export type FinalBounds = {
  /** Windows that end by then are final. */
  readonly finalUntilMs: number
  /** The same for rows created by late readings. */
  readonly lateFinalUntilMs: number
}

/** A window without a row is created by readings at most this late, FEA-11. */
export const lateCreationMs = 24 * hourMs

/** A partition silent for longer does not hold back the watermark, FEA-10. */
const activePartitionMs = 5 * minuteMs

/**
 * Rules of a duration. Up to a quarter of an hour a row is final when written; up to an hour it is
 * corrected for two hours; longer ones for a day (FEA-10 names 15, 60 and 1,440 minutes).
 */
function windowRule(minutes: number): WindowRule {
  const lengthMs = minutes * minuteMs
  if (minutes <= 15) return { minutes, lengthMs, emissionDelayMs: minuteMs, graceMs: minuteMs }
  if (minutes <= 60) {
    return { minutes, lengthMs, emissionDelayMs: 5 * minuteMs, graceMs: 2 * hourMs }
  }
  return { minutes, lengthMs, emissionDelayMs: hourMs, graceMs: 24 * hourMs }
}

/** Rules of all durations of a fleet, shortest first. */
export function windowRules(fleet: FleetDefinition): readonly WindowRule[] {
  return fleet.windowMinutes.toSorted((a, b) => a - b).map(windowRule)
}

/** Start of the window that holds a time; windows are aligned to UTC midnight, FEA-5. */
export function windowStart(timeMs: number, { lengthMs }: Pick<WindowRule, 'lengthMs'>): number {
  return Math.floor(timeMs / lengthMs) * lengthMs
}

/** Readings a device should send in a window, FEA-12. */
export function expectedReadings(durationMinutes: number, reportingIntervalS: number): number {
  return (durationMinutes * 60) / reportingIntervalS
}

/**
 * Arrival progress, FEA-10: the smallest of the newest arrivals over partitions with traffic in the
 * last five minutes of arrival time; undefined before anything arrived.
 */
export function watermarkOf(newestByPartition: readonly number[]): number | undefined {
  if (newestByPartition.length === 0) return undefined
  const newest = Math.max(...newestByPartition)
  return Math.min(...newestByPartition.filter((ms) => ms >= newest - activePartitionMs))
}

/** End of the newest window that may be written, exclusive bound of everything emitted. */
export function emittedUntil(
  rule: WindowRule,
  watermarkMs: number | undefined,
  finishUntilMs: number | undefined,
): number | undefined {
  return progress(rule, rule.emissionDelayMs, watermarkMs, finishUntilMs)
}

/** End of the newest window that no late reading changes any more. */
export function finalUntil(
  rule: WindowRule,
  graceMs: number,
  watermarkMs: number | undefined,
  finishUntilMs: number | undefined,
): number | undefined {
  return progress(rule, Math.max(graceMs, rule.emissionDelayMs), watermarkMs, finishUntilMs)
}

function progress(
  rule: WindowRule,
  delayMs: number,
  watermarkMs: number | undefined,
  finishUntilMs: number | undefined,
): number | undefined {
  const reached = Math.max(
    watermarkMs === undefined ? Number.NEGATIVE_INFINITY : watermarkMs - delayMs,
    finishUntilMs ?? Number.NEGATIVE_INFINITY,
  )
  return Number.isFinite(reached) ? windowStart(reached, rule) : undefined
}
