import { describe, expect, test } from 'vitest'
import {
  featureMatrix,
  featureMatrixOfRows,
  requireColumns,
  requireFinite,
  selectRows,
  sharedFeatureMatrix,
} from './feature-matrix.ts'

const matrix = featureMatrixOfRows(
  [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
  ['a', 'b'],
)

describe('feature matrix', () => {
  test('values are row-major and not copied', () => {
    const values = Float64Array.of(1, 2, 3, 4, 5, 6)
    expect(featureMatrix(values, ['a', 'b'])).toEqual(matrix)
    expect(featureMatrix(values, ['a', 'b']).values).toBe(values)
  })

  test('a length that is no multiple of the columns is refused', () => {
    expect(() => featureMatrix(new Float64Array(5), ['a', 'b'])).toThrow('values.length is 5')
    expect(() => featureMatrixOfRows([[1]], ['a', 'b'])).toThrow('length of row 0 is 1')
    expect(() => requireColumns(['a', 'b'], { ...matrix, rowCount: 2 })).toThrow('values.length')
  })

  test('no columns and a repeated name are refused', () => {
    expect(() => featureMatrix(new Float64Array(), [])).toThrow('at least one name')
    expect(() => featureMatrix(new Float64Array(2), ['a', 'a'])).toThrow('distinct names')
  })

  test('shuffled, missing and extra columns are refused by name', () => {
    const mismatch = (names: string[]) => () => requireColumns(names, matrix)
    expect(mismatch(['b', 'a'])).toThrow('column 0 is a, the model expects b')
    expect(mismatch(['a'])).toThrow('column 1 is b, the model expects no column')
    expect(mismatch(['a', 'b', 'c'])).toThrow('column 2 is no column, the model expects c')
    expect(mismatch(['a', 'b'])).not.toThrow()
  })

  test('rows are selected in the given order', () => {
    expect(Array.from(selectRows(matrix, [2, 0, 2]).values)).toEqual([5, 6, 1, 2, 5, 6])
    expect(() => selectRows(matrix, [3])).toThrow('rows[0] is 3')
    expect(() => selectRows(matrix, [0.5])).toThrow('rows[0] is 0.5')
  })

  test('the first cell that is not finite is named', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const values = Float64Array.of(1, 2, 3, value, 5, 6)
      expect(() => requireFinite('test', featureMatrix(values, ['a', 'b']))).toThrow(
        `test: row 1, column b is ${value}`,
      )
    }
    const large = featureMatrix(Float64Array.of(1.7e308, 1.7e308, -1.7e308, 1), ['a', 'b'])
    expect(() => requireFinite('test', large)).not.toThrow()
  })

  test('a shared matrix holds the same values and is shared once', () => {
    const shared = sharedFeatureMatrix(matrix)
    expect(shared.values.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(Array.from(shared.values)).toEqual(Array.from(matrix.values))
    expect(sharedFeatureMatrix(shared)).toBe(shared)
  })
})
