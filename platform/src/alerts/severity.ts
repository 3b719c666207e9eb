import type { Severity } from '../contracts/index.ts'
import { severityRank } from '../objects/index.ts'
import type { ScoredWindow, ScoringRun } from './scored-window.ts'

const minuteMs = 60_000

/** Bands of SRV-39, strict. */
const criticalScore = 0.95
const highScore = 0.85
const mediumScore = 0.7

/** How far back the previous window may lie to count as sustained, SRV-39. */
const sustainedWithinMs = 90 * minuteMs
const sustainedWithinDayMs = 26 * 60 * minuteMs
const dayMinutes = 1_440

/** Severity of batch evidence, SRV-39: the first condition that holds. */
export function batchSeverity(evidence: {
  /** Highest score. */
  readonly score: number
  /** Distinct families that flagged. */
  readonly familyCount: number
  readonly sustained: boolean
}): Severity {
  const { score, familyCount, sustained } = evidence
  if (score > criticalScore && familyCount >= 2) return 'CRITICAL'
  if (score > highScore && (familyCount >= 2 || sustained)) return 'HIGH'
  if (score > mediumScore || familyCount >= 2) return 'MEDIUM'
  return 'LOW'
}

/** True if a family scored the device above 0.85 in its previous window of this duration too. */
export function isSustained(
  row: ScoredWindow,
  previousScore: ScoringRun['previousScore'],
): boolean {
  if (row.score <= highScore) return false
  const previous = previousScore(row.deviceId, row.modelId, row.durationMinutes)
  if (previous === undefined || previous.score <= highScore) return false
  const ageMs = row.windowEndMs - previous.windowEndMs
  return (
    ageMs > 0 &&
    ageMs <= (row.durationMinutes === dayMinutes ? sustainedWithinDayMs : sustainedWithinMs)
  )
}

function severityOfRows(
  rows: readonly ScoredWindow[],
  previousScore: ScoringRun['previousScore'],
): Severity {
  return batchSeverity({
    score: Math.max(...rows.map(({ score }) => score)),
    familyCount: new Set(rows.map(({ modelId }) => modelId)).size,
    sustained: rows.some((row) => isSustained(row, previousScore)),
  })
}

const milder = (left: Severity, right: Severity) =>
  severityRank(left) <= severityRank(right) ? left : right

/**
 * Severity of a device's flagged rows. Rows of low confidence cannot alone lift it above MEDIUM
 * (SRV-5): beyond that only the other rows count.
 * @param rows at least one
 */
export function candidateSeverity(
  rows: readonly ScoredWindow[],
  previousScore: ScoringRun['previousScore'],
): Severity {
  const capped = milder(severityOfRows(rows, previousScore), 'MEDIUM')
  const sure = rows.filter(({ confidence }) => confidence === 'normal')
  if (sure.length === 0) return capped
  const sureSeverity = severityOfRows(sure, previousScore)
  return severityRank(sureSeverity) > severityRank(capped) ? sureSeverity : capped
}
