import { explainIsolationForest, fitIsolationForest, scoreIsolationForest } from '@isotherm/anomaly'
import type { Bench } from './bench.ts'

const rowCount = 100_000
const columnCount = 45
const explainedCount = 1_000

/** Sums of three uniform numbers from a fixed generator: rows with a centre and a rim. */
function exampleRows(): Float64Array {
  let state = 1
  const uniform = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
  return Float64Array.from(
    { length: rowCount * columnCount },
    () => uniform() + uniform() + uniform(),
  )
}

export const bench: Bench = {
  title: 'isolation forest, 200 trees of 256 rows, one thread',
  size: `${rowCount} rows x ${columnCount} columns; ${explainedCount} rows explained`,
  unit: 'rows',
  rounds: 5,
  prepare: async () => {
    const columnNames = Array.from({ length: columnCount }, (_, index) => `column_${index}`)
    const matrix = { columnNames, rowCount, values: exampleRows() }
    const options = { treeCount: 200, sampleSize: 256, seed: 42 }
    const forest = fitIsolationForest(matrix, options)
    const explained = Uint32Array.from({ length: explainedCount }, (_, index) => index)
    return {
      cases: [
        { name: 'fit', units: rowCount, run: () => void fitIsolationForest(matrix, options) },
        { name: 'score', units: rowCount, run: () => void scoreIsolationForest(forest, matrix) },
        {
          name: 'explain',
          units: explainedCount,
          run: () => void explainIsolationForest(forest, matrix, explained),
        },
      ],
      close: async () => undefined,
    }
  },
}
