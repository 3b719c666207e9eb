import { shapeMismatch } from '../errors.ts'
import type { RowSplit } from './row-split.ts'

/**
 * Prediction of every row by the model that did not see it: what quality and calibration are to be
 * measured on.
 * @param predict fits on `split.trainRows` and returns one prediction per test row, in their order
 * @returns rowCount predictions; NaN for rows that no split tests
 * @throws SHAPE_MISMATCH if `predict` returns another number of values
 */
export function outOfFold(
  splits: readonly RowSplit[],
  rowCount: number,
  predict: (split: RowSplit) => Float64Array,
): Float64Array {
  const predictions = new Float64Array(rowCount).fill(Number.NaN)
  for (const [index, split] of splits.entries()) {
    const found = predict(split)
    if (found.length !== split.testRows.length) {
      throw shapeMismatch(`predictions of split ${index}`, split.testRows.length, found.length)
    }
    for (const [i, row] of split.testRows.entries()) predictions[row] = found[i]!
  }
  return predictions
}
