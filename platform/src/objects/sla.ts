import type { Severity } from '../contracts/index.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const acknowledgeWithinMs: Readonly<Record<Severity, number>> = {
  CRITICAL: 30 * minuteMs,
  HIGH: 2 * hourMs,
  MEDIUM: 4 * hourMs,
  LOW: 24 * hourMs,
}

const visitWithinMs: Readonly<Record<Severity, number | undefined>> = {
  CRITICAL: 4 * hourMs,
  HIGH: 24 * hourMs,
  MEDIUM: 48 * hourMs,
  LOW: undefined,
}

/** Time to acknowledge an alert of a severity, SRV-42, in milliseconds. */
export function slaPeriodMs(severity: Severity): number {
  return acknowledgeWithinMs[severity]
}

/** Time within which a technician should be on site, SRV-42; undefined for LOW. */
export function visitPeriodMs(severity: Severity): number | undefined {
  return visitWithinMs[severity]
}
