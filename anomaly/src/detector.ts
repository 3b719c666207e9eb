import { invalidOption } from './errors.ts'
import { type FeatureMatrix, requireColumns, requireFinite } from './feature-matrix.ts'
import { explainIsolationForest } from './isolation-explain.ts'
import type { IsolationForest } from './isolation-forest.ts'
import { scoreForestRows, scoreIsolationForest } from './isolation-score.ts'
import type { NearestNeighbourModel } from './nearest-neighbours.ts'
import {
  explainNearestNeighbours,
  scoreNearestNeighbours,
  scoreNeighbourRows,
} from './nearest-neighbours-score.ts'
import type { RobustBaseline } from './robust-baseline.ts'
import {
  explainRobustBaseline,
  requireRowGroups,
  type ScoredGroups,
  scoreBaselineRows,
  scoreRobustBaseline,
} from './robust-baseline-score.ts'

/** Learned state of any detector, told apart by `kind`. */
export type Detector = IsolationForest | RobustBaseline | NearestNeighbourModel

/**
 * Raw scores of any detector: one per row, higher is more abnormal; the scale is the detector's.
 * @param groups device and cohort of each row; needed by a robust baseline, ignored by others
 * @throws as the detector's own score function; INVALID_OPTION if a baseline gets no groups
 */
export function scoreDetector(
  model: Detector,
  matrix: FeatureMatrix,
  groups?: ScoredGroups,
  out?: Float64Array,
): Float64Array {
  switch (model.kind) {
    case 'isolation_forest':
      return scoreIsolationForest(model, matrix, out)
    case 'nearest_neighbours':
      return scoreNearestNeighbours(model, matrix, out)
    case 'robust_baseline':
      return scoreRobustBaseline(model, matrix, requireGroups(groups), out).scores
    default:
      return unreachable(model)
  }
}

/**
 * Contribution of each column to the score of the given rows, in the detector's unit.
 * @returns rowIndices.length × columns, row-major
 * @throws as the detector's own explain function
 */
export function explainDetector(
  model: Detector,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
  groups?: ScoredGroups,
): Float64Array {
  switch (model.kind) {
    case 'isolation_forest':
      return explainIsolationForest(model, matrix, rowIndices).contributions
    case 'nearest_neighbours':
      return explainNearestNeighbours(model, matrix, rowIndices)
    case 'robust_baseline':
      return explainRobustBaseline(model, matrix, requireGroups(groups), rowIndices)
    default:
      return unreachable(model)
  }
}

/**
 * Refuses what the detector's own score function would refuse, so that rows can then be scored in
 * any split. Cost O(cells).
 */
export function requireScorable(
  model: Detector,
  matrix: FeatureMatrix,
  groups?: ScoredGroups,
): void {
  requireColumns(model.columnNames, matrix)
  if (model.kind === 'robust_baseline') requireRowGroups(matrix, requireGroups(groups))
  else requireFinite(`${model.kind} score`, matrix)
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
  switch (model.kind) {
    case 'isolation_forest':
      scoreForestRows(model, values, rowStart, rowEnd, out)
      break
    case 'nearest_neighbours':
      scoreNeighbourRows(model, values, rowStart, rowEnd, out)
      break
    case 'robust_baseline': {
      const scopes = new Uint8Array(out.length)
      scoreBaselineRows(model, values, requireGroups(groups), rowStart, rowEnd, out, scopes)
      break
    }
    default:
      unreachable(model)
  }
}

function requireGroups(groups: ScoredGroups | undefined): ScoredGroups {
  if (groups === undefined) {
    throw invalidOption('groups', 'device indices for a robust baseline', groups)
  }
  return groups
}

function unreachable(model: never): never {
  throw invalidOption('model', 'a detector', model)
}
