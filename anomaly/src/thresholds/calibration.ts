import { AnomalyError, invalidOption, shapeMismatch, tooFewRows } from '../errors.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'

/** Calibrated scores at the four anchors: median, flagging threshold, severe, top. */
export const ANCHOR_SCORES: readonly number[] = [0, 0.6, 0.85, 1]

/** The smallest number above 0.60. */
const ABOVE_FLAG = 0.6000000000000001

/** From this number of calibration rows on, the top anchor is Q(0.999) instead of the maximum. */
export const TOP_QUANTILE_MIN_ROWS = 5_000

/**
 * Frozen distribution of raw scores over the calibration set. It maps any raw score of the same
 * model to [0, 1], and can be re-derived for another contamination without a refit.
 * `anchors` are raw scores, strictly increasing; `quantiles` are Q(0), Q(0.001), … Q(1).
 */
export type Calibration = {
  readonly kind: 'calibration'
  readonly stateVersion: 1
  readonly contamination: number
  readonly rowCount: number
  readonly anchors: Float64Array
  readonly quantiles: Float64Array
  readonly quantile9995: number
  readonly maximum: number
}

/**
 * Learns how raw scores map to [0, 1]: piecewise linear through (Q(0.50), 0), (Q(1 − c), 0.60),
 * (Q(1 − c/5), 0.85), (Q(0.999), 1). With fewer than 5,000 rows the top anchor is the maximum.
 * @param rawScores raw scores of the training sample before cleaning, any scale, no NaN
 * @param contamination share c of rows to flag, in (0, 0.5)
 * @throws CALIBRATION_NOT_INCREASING if anchors coincide, e.g. for constant scores;
 *   TOO_FEW_ROWS if empty; NOT_FINITE; INVALID_OPTION
 * Cost O(n log n), one copy.
 */
export function fitCalibration(rawScores: Float64Array, contamination = 0.05): Calibration {
  requireContamination(contamination)
  if (rawScores.length === 0) throw tooFewRows('calibration', 1, 0)
  const at = rawScores.findIndex((score) => !Number.isFinite(score))
  if (at >= 0) {
    throw new AnomalyError(
      'NOT_FINITE',
      `calibration: raw score ${at} is ${rawScores[at]}, expected a finite number`,
      { index: at, found: rawScores[at] },
    )
  }
  const sorted = rawScores.slice().sort()
  const quantiles = new Float64Array(1001)
  for (let i = 0; i <= 1000; i++) quantiles[i] = quantileOfSorted(sorted, i / 1000)
  const rowCount = sorted.length
  const maximum = sorted[rowCount - 1]!
  return {
    kind: 'calibration',
    stateVersion: 1,
    contamination,
    rowCount,
    anchors: deriveAnchors(quantiles, rowCount, maximum, contamination),
    quantiles,
    quantile9995: quantileOfSorted(sorted, 0.9995),
    maximum,
  }
}

/**
 * The same calibration set under another contamination; equal to a fresh `fitCalibration`.
 * @throws as `fitCalibration`
 * Cost O(1).
 */
export function withContamination(calibration: Calibration, contamination: number): Calibration {
  requireContamination(contamination)
  const { quantiles, rowCount, maximum } = calibration
  const anchors = deriveAnchors(quantiles, rowCount, maximum, contamination)
  return { ...calibration, contamination, anchors }
}

/**
 * Calibrated score of one raw score: in [0, 1], rising with abnormality, above 0.60 exactly when
 * the raw score is above Q(1 − c). NaN stays NaN.
 * @param anchors four strictly increasing raw scores, `Calibration.anchors`
 */
export function calibrate(raw: number, anchors: Float64Array): number {
  const median = anchors[0]!
  const flag = anchors[1]!
  const severe = anchors[2]!
  const top = anchors[3]!
  if (raw <= median) return 0
  if (raw >= top) return 1
  if (raw <= flag) return Math.min(0.6, (0.6 * (raw - median)) / (flag - median))
  if (raw <= severe) {
    // Rounding must not hide a raw score above the flag anchor behind exactly 0.60.
    return Math.min(0.85, Math.max(ABOVE_FLAG, 0.6 + (0.25 * (raw - flag)) / (severe - flag)))
  }
  return Math.min(1, 0.85 + (0.15 * (raw - severe)) / (top - severe))
}

/**
 * `calibrate` for many raw scores.
 * @param out receives one score per raw score; may be `rawScores` itself
 * @throws SHAPE_MISMATCH if `out` has another length
 */
export function calibrateScores(
  rawScores: Float64Array,
  anchors: Float64Array,
  out: Float64Array = new Float64Array(rawScores.length),
): Float64Array {
  if (anchors.length !== 4) throw shapeMismatch('anchors.length', 4, anchors.length)
  if (out.length !== rawScores.length) {
    throw shapeMismatch('out.length', rawScores.length, out.length)
  }
  for (let i = 0; i < rawScores.length; i++) out[i] = calibrate(rawScores[i]!, anchors)
  return out
}

/**
 * Anchors always come from the 1,001 stored quantiles, interpolated linearly between them, so
 * that a change of contamination gives what a new fit would give.
 */
function deriveAnchors(
  quantiles: Float64Array,
  rowCount: number,
  maximum: number,
  contamination: number,
): Float64Array {
  const anchors = Float64Array.of(
    quantiles[500]!,
    quantileOfSorted(quantiles, 1 - contamination),
    quantileOfSorted(quantiles, 1 - contamination / 5),
    rowCount < TOP_QUANTILE_MIN_ROWS ? maximum : quantiles[999]!,
  )
  for (let i = 1; i < anchors.length; i++) {
    if (!(anchors[i]! > anchors[i - 1]!)) {
      throw new AnomalyError(
        'CALIBRATION_NOT_INCREASING',
        `calibration anchors are ${anchors.join(', ')}, expected strictly increasing; the raw scores have too few distinct values at contamination ${contamination}`,
        { anchors: Array.from(anchors), contamination, rowCount },
      )
    }
  }
  return anchors
}

function requireContamination(contamination: number): void {
  if (!(contamination > 0 && contamination < 0.5)) {
    throw invalidOption('contamination', 'in (0, 0.5)', contamination)
  }
}
