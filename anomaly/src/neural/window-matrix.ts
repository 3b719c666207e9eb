import { invalidOption, shapeMismatch } from '../errors.ts'
import { type FeatureMatrix, featureMatrix } from '../feature-matrix.ts'

/**
 * Windows of a multivariate series as the rows of a matrix, which is how the LSTM autoencoder takes
 * them. Nothing is copied.
 * @param values window × step × channel: the value of window w, step t (oldest first), channel c
 *   stands at (w·stepCount + t)·channels + c; NaN where none was measured
 * @param channelNames distinct names
 * @param stepCount steps per window, ≥ 1
 * @returns one row per window, with columns `channel@step`: a@0, b@0, …, a@1, b@1, …
 * @throws SHAPE_MISMATCH if the length is no multiple of stepCount · channels, INVALID_OPTION
 * Cost O(stepCount · channels).
 */
export function windowMatrix(
  values: Float64Array,
  channelNames: readonly string[],
  stepCount: number,
): FeatureMatrix {
  if (!Number.isInteger(stepCount) || stepCount < 1) {
    throw invalidOption('stepCount', 'an integer ≥ 1', stepCount)
  }
  const cellCount = stepCount * channelNames.length
  if (values.length % Math.max(1, cellCount) !== 0) {
    const expected = Math.floor(values.length / cellCount) * cellCount
    throw shapeMismatch('values.length', expected, values.length)
  }
  const columnNames: string[] = []
  for (let step = 0; step < stepCount; step++) {
    for (const name of channelNames) columnNames.push(`${name}@${step}`)
  }
  return featureMatrix(values, columnNames)
}

/** The channels of a window matrix: the columns of its first step, without the step. */
export function channelNamesOf(
  columnNames: readonly string[],
  stepCount: number,
): readonly string[] {
  const channelCount = columnNames.length / stepCount
  if (!Number.isInteger(channelCount)) {
    throw invalidOption('stepCount', `a divisor of the ${columnNames.length} columns`, stepCount)
  }
  return columnNames.slice(0, channelCount).map((name) => name.replace(/@0$/, ''))
}
