import { robustBaselineKind } from './baseline/robust-baseline-kind.ts'
import { robustZScoreKind } from './baseline/robust-z-score-kind.ts'
import { boostedTreesKind } from './boosting/boosted-trees-kind.ts'
import { dbscanKind } from './clustering/dbscan-kind.ts'
import { kMeansKind } from './clustering/k-means-kind.ts'
import { ecodKind } from './density/ecod-kind.ts'
import { hbosKind } from './density/hbos-kind.ts'
import type { DetectorKind } from './detector-kind.ts'
import { invalidOption } from './errors.ts'
import {
  type FeatureMatrix,
  outputFor,
  requireColumns,
  requireFinite,
  requireRowIndices,
} from './feature-matrix.ts'
import { extendedForestKind } from './forest/extended-forest-kind.ts'
import { isolationForestKind } from './forest/isolation-forest-kind.ts'
import { logisticRegressionKind } from './linear/logistic-regression-kind.ts'
import type { ModelState } from './model-file/model-file.ts'
import { readLiteral, readObject } from './model-file/model-state-reader.ts'
import { localOutlierFactorKind } from './neighbours/local-outlier-factor-kind.ts'
import { nearestNeighboursKind } from './neighbours/nearest-neighbours-kind.ts'
import { autoencoderKind } from './neural/autoencoder-kind.ts'
import { lstmAutoencoderKind } from './neural/lstm-autoencoder-kind.ts'
import { requireRowGroups, type ScoredGroups } from './row-groups.ts'
import { regressionLofKind } from './series/regression-lof-kind.ts'
import { regressionResidualKind } from './series/regression-residual-kind.ts'
import { principalComponentsKind } from './subspace/principal-components-kind.ts'

/** Every kind of detector. A new one is one line here and one in `detector-checks.test.ts`. */
const kinds = {
  autoencoder: autoencoderKind,
  lstm_autoencoder: lstmAutoencoderKind,
  boosted_trees: boostedTreesKind,
  isolation_forest: isolationForestKind,
  local_outlier_factor: localOutlierFactorKind,
  logistic_regression: logisticRegressionKind,
  nearest_neighbours: nearestNeighboursKind,
  dbscan: dbscanKind,
  k_means: kMeansKind,
  ecod: ecodKind,
  hbos: hbosKind,
  principal_components: principalComponentsKind,
  extended_isolation_forest: extendedForestKind,
  robust_z_score: robustZScoreKind,
  regression_residual: regressionResidualKind,
  regression_lof: regressionLofKind,
  robust_baseline: robustBaselineKind,
} as const

/** Name of a kind of detector, as in the `kind` field of its learned state. */
export type DetectorKindName = keyof typeof kinds

/** Learned state of any detector, told apart by `kind`. Plain data. */
export type Detector = Parameters<(typeof kinds)[DetectorKindName]['scoreRows']>[0]

/**
 * Raw scores of any detector: one per row, higher is more abnormal; the scale is the detector's.
 * @param groups device and cohort of each row; needed by detectors with a normal per group
 * @throws COLUMN_MISMATCH, SHAPE_MISMATCH, NOT_FINITE where the detector refuses missing values,
 *   INVALID_OPTION if groups are needed and absent
 */
export function scoreDetector(
  model: Detector,
  matrix: FeatureMatrix,
  groups?: ScoredGroups,
  out?: Float64Array,
): Float64Array {
  requireScorable(model, matrix, groups)
  const scores = outputFor(matrix, out)
  scoreDetectorRows(model, matrix.values, groups, 0, matrix.rowCount, scores)
  return scores
}

/**
 * Contribution of each column to the score of the given rows, in the detector's unit.
 * @returns rowIndices.length × columns, row-major
 * @throws as `scoreDetector`, and INVALID_OPTION for a row index outside the matrix
 */
export function explainDetector(
  model: Detector,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
  groups?: ScoredGroups,
): Float64Array {
  requireScorable(model, matrix, groups)
  requireRowIndices(matrix, rowIndices)
  return kindOf(model).explainRows(model, matrix, rowIndices, groups)
}

/** What a NaN cell means to this detector: `refused`, or `left out` of the row's score. */
export function missingValuePolicy(model: Detector): 'refused' | 'left out' {
  return kindOf(model).missingValues
}

/**
 * Turns decoded data into a detector after checking every field, length and index, so that a
 * wrong file cannot make a hot loop read past its arrays.
 * @throws MODEL_FILE_INVALID naming the field
 * Cost O(size of the model).
 */
export function parseDetector(value: ModelState): Detector {
  const state = readObject(value, 'detector')
  const names = Object.values(kinds).map(({ kind }) => kind)
  return kinds[readLiteral(state, 'kind', names)].parse(state)
}

/**
 * Refuses what scoring would refuse, so that rows can then be scored in any split.
 * Cost O(cells).
 */
export function requireScorable(
  model: Detector,
  matrix: FeatureMatrix,
  groups?: ScoredGroups,
): void {
  const { kind, missingValues, needsGroups } = kindOf(model)
  requireColumns(model.columnNames, matrix)
  if (needsGroups) requireRowGroups(matrix, groups)
  if (missingValues === 'refused') requireFinite(`${kind} score`, matrix)
}

/** Scores rows [rowStart, rowEnd) of checked inputs: the unit of work of a scoring thread. */
export function scoreDetectorRows(
  model: Detector,
  values: Float64Array,
  groups: ScoredGroups | undefined,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  kindOf(model).scoreRows(model, values, groups, rowStart, rowEnd, out)
}

function kindOf(model: Detector): DetectorKind<Detector> {
  if (!Object.hasOwn(kinds, model.kind)) throw invalidOption('model', 'a detector', model)
  // The table's key is the model's own kind, so its functions take this very model; the compiler
  // cannot follow the pairing.
  return kinds[model.kind] as unknown as DetectorKind<Detector>
}
