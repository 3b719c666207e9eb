import { invalidOption, shapeMismatch } from '../errors.ts'
import { type AlarmBudgetThreshold, alarmBudgetCutoff } from './alarm-budget-threshold.ts'
import { type ConformalThreshold, conformalCutoff } from './conformal-threshold.ts'
import { type ExtremeValueThreshold, extremeValueCutoff } from './extreme-value-threshold.ts'
import { type FalseDiscoveryThreshold, falseDiscoveryCutoff } from './false-discovery-threshold.ts'
import { type PrecisionThreshold, precisionCutoff } from './precision-threshold.ts'
import { type QuantileThreshold, quantileCutoff } from './quantile-threshold.ts'
import { type TopCountThreshold, topCountCutoff } from './top-count-threshold.ts'

/**
 * A rule that turns raw scores of one detector into flags: evidence as plain data, and a `level`
 * that says how strict to be. Another level needs neither a refit of the detector nor new data.
 */
export type Threshold =
  | QuantileThreshold
  | ExtremeValueThreshold
  | ConformalThreshold
  | FalseDiscoveryThreshold
  | PrecisionThreshold
  | AlarmBudgetThreshold
  | TopCountThreshold

/**
 * Flags the scores above the threshold's cutoff.
 * @param scores of the detector the evidence came from; NaN is never flagged. For
 *   `false_discovery` and `top_count` they are judged together, for all others one by one
 * @param out receives 1 (flagged) or 0 per score
 * @throws SHAPE_MISMATCH if `out` has another length
 * Cost O(n), for the two kinds that judge a batch O(n log n).
 */
export function applyThreshold(
  threshold: Threshold,
  scores: Float64Array,
  out: Uint8Array = new Uint8Array(scores.length),
): Uint8Array {
  if (out.length !== scores.length) throw shapeMismatch('out.length', scores.length, out.length)
  const cutoff = thresholdCutoff(threshold, scores)
  for (let i = 0; i < scores.length; i++) out[i] = scores[i]! > cutoff ? 1 : 0
  return out
}

/**
 * The score above which rows are flagged.
 * @param scores the batch; needed by `false_discovery` and `top_count` only
 * @returns may be ±∞: nothing, or everything, is flagged
 * @throws INVALID_OPTION if a batch is needed and absent
 */
export function thresholdCutoff(threshold: Threshold, scores?: Float64Array): number {
  switch (threshold.kind) {
    case 'quantile_threshold':
      return quantileCutoff(threshold)
    case 'extreme_value_threshold':
      return extremeValueCutoff(threshold)
    case 'conformal_threshold':
      return conformalCutoff(threshold)
    case 'precision_threshold':
      return precisionCutoff(threshold)
    case 'alarm_budget_threshold':
      return alarmBudgetCutoff(threshold)
    case 'false_discovery_threshold':
      return falseDiscoveryCutoff(threshold, requireBatch(threshold.kind, scores))
    case 'top_count_threshold':
      return topCountCutoff(threshold, requireBatch(threshold.kind, scores))
    default:
      return unreachable(threshold)
  }
}

/**
 * The same evidence at another level.
 * @param level in the unit of the threshold's kind
 * @throws INVALID_OPTION outside the kind's range
 */
export function withLevel<T extends Threshold>(threshold: T, level: number): T {
  const changed = { ...threshold, level }
  requireLevel(changed)
  return changed
}

/** Refuses a level outside its kind's range. */
export function requireLevel(threshold: Threshold): void {
  const { kind, level } = threshold
  if (kind === 'top_count_threshold') {
    if (!(Number.isInteger(level) && level >= 0))
      throw invalidOption('level', 'an integer ≥ 0', level)
  } else if (kind === 'alarm_budget_threshold') {
    if (!(level >= 0 && level < Number.POSITIVE_INFINITY))
      throw invalidOption('level', '≥ 0', level)
  } else if (kind === 'extreme_value_threshold') {
    const most = threshold.excessCount / threshold.rowCount
    if (!(level > 0 && level <= most)) {
      throw invalidOption('level', `in (0, ${most}], the share of scores in the fitted tail`, level)
    }
  } else if (!(level > 0 && level < 1)) {
    throw invalidOption('level', 'in (0, 1)', level)
  }
}

function requireBatch(kind: string, scores: Float64Array | undefined): Float64Array {
  if (scores === undefined)
    throw invalidOption('scores', `a batch, which ${kind} judges together`, 'none')
  return scores
}

function unreachable(threshold: never): never {
  throw invalidOption('threshold', 'a threshold', JSON.stringify(threshold))
}
