import { readFileSync } from 'node:fs'
import { type FeatureMatrix, featureMatrix } from '../../feature-matrix.ts'

/** A model that xgboost 3.2.0 saved, and what it said of the first twelve rows. */
export type RecordedModel = {
  readonly model: unknown
  readonly margin: readonly number[]
  /** rows × outputs × (columns, then bias): `pred_contribs`. */
  readonly contribs: readonly number[]
}

/** Models fitted on `recordedMatrix` with max_depth 3, 2 and 3. */
export function recordedModels(): Record<'binary' | 'classes' | 'regression', RecordedModel> {
  return JSON.parse(readFileSync(new URL('./xgboost-3.2.json', import.meta.url), 'utf8'))
}

/** sin(1.7 i)·3, cos(0.9 i)·2 and (7 i mod 11) − 5 in float32, with missing cells. */
export function recordedMatrix(rowCount = 60): FeatureMatrix {
  const values = new Float64Array(rowCount * 3)
  for (let i = 0; i < rowCount; i++) {
    values[3 * i] = i % 9 === 4 ? Number.NaN : Math.fround(Math.sin(i * 1.7) * 3)
    values[3 * i + 1] = Math.fround(Math.cos(i * 0.9) * 2)
    values[3 * i + 2] = i % 13 === 6 ? Number.NaN : ((i * 7) % 11) - 5
  }
  return featureMatrix(values, ['f0', 'f1', 'f2'])
}

/** x0·x1 + x2 of each recorded row, missing cells as 0, 0 and 2. */
export function recordedValues({ values, rowCount }: FeatureMatrix): Float64Array {
  const or = (value: number, instead: number) => (Number.isNaN(value) ? instead : value)
  return Float64Array.from(
    { length: rowCount },
    (_, i) => or(values[3 * i]!, 0) * values[3 * i + 1]! + or(values[3 * i + 2]!, 2),
  )
}
