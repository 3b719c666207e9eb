import type { FeatureMatrix } from './feature-matrix.ts'
import type { StateObject } from './model-file/model-state-reader.ts'
import type { ScoredGroups } from './row-groups.ts'

/** What every detector's learned state carries. */
export type DetectorState = {
  readonly kind: string
  readonly stateVersion: number
  readonly columnNames: readonly string[]
}

/**
 * One kind of detector as pure functions over its learned state. What the library does with any
 * detector (score, explain, threads, model files, the common checks) it does through this, so a
 * new kind is this value and one line in `detector.ts`.
 */
export type DetectorKind<Model extends DetectorState> = {
  /** Value of `kind` in the learned state and in model files; never changes. */
  readonly kind: Model['kind']
  /** What a NaN cell means in fit and score: an error, or a cell that is not looked at. */
  readonly missingValues: 'refused' | 'left out'
  /** True if rows are judged by their device or cohort, so that scoring needs `ScoredGroups`. */
  readonly needsGroups: boolean
  /**
   * Raw scores of rows [rowStart, rowEnd) of checked row-major `values` into `out`, which has one
   * cell per row of the whole matrix. The score of a row depends on the model and that row only.
   */
  readonly scoreRows: (
    model: Model,
    values: Float64Array,
    groups: ScoredGroups | undefined,
    rowStart: number,
    rowEnd: number,
    out: Float64Array,
  ) => void
  /** Contribution of each column to the given rows' scores: rowIndices.length × columns. */
  readonly explainRows: (
    model: Model,
    matrix: FeatureMatrix,
    rowIndices: ArrayLike<number>,
    groups: ScoredGroups | undefined,
  ) => Float64Array
  /**
   * Learned state from decoded data, after checking every field, length and index.
   * @throws MODEL_FILE_INVALID naming the field
   */
  readonly parse: (state: StateObject) => Model
}
