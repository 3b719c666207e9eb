import { invalidOption } from '../errors.ts'
import { conformalPValues, scoreOfPValue } from './conformal-threshold.ts'
import { sortedScores } from './reference-scores.ts'

/** How the share of healthy rows in a batch enters. */
export type FalseDiscoveryMethod = 'benjamini_hochberg' | 'storey'

/** Flags the rows of a batch so that few of the flagged ones are healthy. Plain data. */
export type FalseDiscoveryThreshold = {
  readonly kind: 'false_discovery_threshold'
  readonly stateVersion: 1
  /** Expected share of healthy rows among the flagged ones, in (0, 1). */
  readonly level: number
  readonly method: FalseDiscoveryMethod
  /** Scores of healthy rows that the detector did not see in its fit, ascending. */
  readonly sortedScores: Float64Array
}

/** Options of `falseDiscoveryThreshold`. */
export type FalseDiscoveryOptions = {
  /** Default 0.1. */
  readonly level?: number
  /**
   * `benjamini_hochberg` (default) keeps the share at level × share of healthy rows;
   * `storey` estimates that share and uses the whole level, worth it where many rows are abnormal.
   */
  readonly method?: FalseDiscoveryMethod
}

/** p-values above it are taken for those of healthy rows (Storey 2002). */
const STOREY_LAMBDA = 0.5

/**
 * Threshold on the false-discovery rate: of the rows flagged in a batch at most a share `level`
 * is healthy, on average over batches, by the step-up procedure on conformal p-values. Those of
 * one calibration set depend on each other in a way under which both methods stay valid.
 * @param scores of healthy rows held out of the fit, finite. A batch of m rows with few anomalies
 *   needs about m / level of them, as no p-value is below 1/(n + 1)
 * @throws TOO_FEW_ROWS if empty, NOT_FINITE, INVALID_OPTION
 * Cost O(n log n), one copy. Source: Benjamini & Hochberg 1995; Storey 2002; Bates, Candès, Lei,
 * Romano & Sesia 2023, "Testing for outliers with conformal p-values", theorems 2 and 3.
 */
export function falseDiscoveryThreshold(
  scores: Float64Array,
  { level = 0.1, method = 'benjamini_hochberg' }: FalseDiscoveryOptions = {},
): FalseDiscoveryThreshold {
  if (!(level > 0 && level < 1)) throw invalidOption('level', 'in (0, 1)', level)
  const sorted = sortedScores('false discovery threshold', scores)
  return { kind: 'false_discovery_threshold', stateVersion: 1, level, method, sortedScores: sorted }
}

/** The score above which the step-up procedure flags this batch; +∞ if it flags nothing. */
export function falseDiscoveryCutoff(
  { level, method, sortedScores: sorted }: FalseDiscoveryThreshold,
  scores: Float64Array,
): number {
  const pValues = conformalPValues({ sortedScores: sorted }, scores)
    .filter((pValue) => !Number.isNaN(pValue))
    .sort()
  const count = pValues.length
  const budget = level / (method === 'storey' ? healthyShare(pValues) : 1)
  let largest = 0
  for (let rank = 1; rank <= count; rank++) {
    if (pValues[rank - 1]! <= (budget * rank) / count) largest = pValues[rank - 1]!
  }
  return largest === 0 ? Number.POSITIVE_INFINITY : scoreOfPValue(sorted, largest)
}

/** (1 + #{p > λ}) / (m (1 − λ)), at most 1. */
function healthyShare(pValues: Float64Array): number {
  let above = 0
  for (let i = 0; i < pValues.length; i++) if (pValues[i]! > STOREY_LAMBDA) above++
  return Math.min(1, (1 + above) / (pValues.length * (1 - STOREY_LAMBDA)))
}
