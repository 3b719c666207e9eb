import { IsothermError } from '../contracts/index.ts'
import type { ScoreColumns } from './score-table.ts'

function refused(model: string, reason: string): IsothermError {
  return new IsothermError(
    'GATE_FAILED',
    `scores of ${model}: ${reason}; nothing of this model was committed, the last scores stay`,
  )
}

/**
 * Gate before scores are committed (SRV-10): finite and in [0, 1], no window twice. Rows arrive in
 * (device, window) order, so a repetition stands beside its twin; `previous` carries the last row
 * of the batch before.
 * @returns the last row, for the next batch
 * @throws IsothermError GATE_FAILED
 */
export function checkScores(
  model: string,
  rows: ScoreColumns,
  previous?: { readonly deviceId: string; readonly windowStartMs: number },
): { readonly deviceId: string; readonly windowStartMs: number } | undefined {
  let last = previous
  for (const [index, deviceId] of rows.deviceIds.entries()) {
    const score = rows.scores[index]!
    const windowStartMs = rows.windowStartMs[index]!
    if (!(score >= 0 && score <= 1) || !Number.isFinite(rows.rawScores[index])) {
      throw refused(
        model,
        `${deviceId} at ${new Date(windowStartMs).toISOString()} scores ${score} (raw ${rows.rawScores[index]}), expected 0 to 1`,
      )
    }
    if (last !== undefined && last.deviceId === deviceId && last.windowStartMs === windowStartMs) {
      throw refused(
        model,
        `${deviceId} has the window ${new Date(windowStartMs).toISOString()} twice in device_features`,
      )
    }
    last = { deviceId, windowStartMs }
  }
  return last
}
