import { describe, expect, test } from 'vitest'
import { normalMatrix, numberedColumns } from '../../testing/generated-tables.ts'
import { featureMatrix, featureMatrixOfRows, selectRows } from '../feature-matrix.ts'
import { type AutoencoderOptions, fitAutoencoder } from './autoencoder.ts'
import { explainAutoencoder, scoreAutoencoder } from './autoencoder-score.ts'

/** 1000 × 8 cells from a formula that any language can repeat; eight columns of few causes. */
function waves(columnCount = 8) {
  const values = new Float64Array(1000 * columnCount)
  for (let i = 0; i < 1000; i++) {
    for (let j = 0; j < columnCount; j++) {
      const slow = Math.sin(0.37 * i + j) + 0.5 * Math.cos(0.11 * i * (j + 1))
      values[i * columnCount + j] = slow + 0.1 * Math.sin(i * i * (j + 1.5))
    }
  }
  return featureMatrix(values, numberedColumns(columnCount))
}

const matrix = waves()
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
const rowRange = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i)

describe('autoencoder', () => {
  test.each([
    ['relu', 0.0714877],
    ['tanh', 0.0583365],
  ] as const)('with %s reaches the loss of scikit-learn', (activation, expected) => {
    // scikit-learn 1.9.1, mean of seeds 0…4 on the standardised table: MLPRegressor(
    //   hidden_layer_sizes=(12, 4, 12), batch_size=50, max_iter=60, n_iter_no_change=1000, tol=0),
    //   then ((predict(X) - X) ** 2).mean() / 2.
    const losses = [0, 1, 2, 3, 4].map((seed) => {
      const options = { hiddenSizes: [12, 4, 12], activation, seed, maxEpochs: 60 }
      const model = fitAutoencoder(matrix, { ...options, batchSize: 50, heldOutFraction: 0 })
      return mean(scoreAutoencoder(model, matrix)) / 2
    })
    expect(mean(losses)).toBeLessThan(1.05 * expected)
    expect(mean(losses)).toBeGreaterThan(0.9 * expected)
  })

  test('takes the steps of torch from the same weights', () => {
    // torch 2.15.0: Linear and ReLU with the weights of the fit with maxEpochs 0, rows in order,
    // batches of 50, loss ((y - x) ** 2).sum() / 2 / batch, Adam(1e-3).
    const network = { hiddenSizes: [12, 4, 12], activation: 'relu', l2: 0 } as const
    const order = { batchSize: 50, heldOutFraction: 0, shuffle: false }
    const model = fitAutoencoder(matrix, { ...network, ...order, maxEpochs: 5 })
    const losses = [0.5687426, 0.5318926, 0.5106082, 0.4964923, 0.4833854]
    for (const [epoch, loss] of losses.entries()) {
      expect(model.trainingLosses[epoch]).toBeCloseTo(loss, 6)
    }
  })

  test('without epochs is the network it starts from, within the bounds of its layers', () => {
    const model = fitAutoencoder(matrix, { hiddenSizes: [5], maxEpochs: 0 })
    expect(Array.from(model.layerSizes)).toEqual([8, 5, 8])
    expect(model.weights).toHaveLength(80)
    expect(model.biases).toHaveLength(13)
    const bound = Math.sqrt(6 / 13)
    expect(Math.max(...model.weights.map(Math.abs))).toBeLessThan(bound)
    expect(Math.max(...model.weights.map(Math.abs))).toBeGreaterThan(0.9 * bound)
    expect(model.keptEpoch).toBe(0)
    expect(model.trainedRowCount).toBe(1000)
  })

  test('takes the layers of MOD-23, in proportion for more columns, not much narrower for fewer', () => {
    const sizes = (columnCount: number) =>
      Array.from(fitAutoencoder(normalMatrix(4, columnCount, 1), { maxEpochs: 0 }).layerSizes)
    expect(sizes(45)).toEqual([45, 32, 16, 10, 16, 32, 45])
    expect(sizes(90)).toEqual([90, 64, 32, 20, 32, 64, 90])
    expect(sizes(5)).toEqual([5, 16, 8, 1, 8, 16, 5])
  })

  test('stops when the held-out loss has not fallen, and keeps its lowest', () => {
    const noise = normalMatrix(200, 6, 1)
    const options = { hiddenSizes: [40, 6, 40], learningRate: 0.02, patience: 4 }
    const heldOutRows = rowRange(150, 200)
    const model = fitAutoencoder(noise, { ...options, heldOutRows, maxEpochs: 500 })
    const { heldOutLosses, trainingLosses, keptEpoch } = model
    expect(heldOutLosses.length).toBeLessThan(500)
    expect(heldOutLosses).toHaveLength(keptEpoch + 4)
    expect(trainingLosses).toHaveLength(keptEpoch + 4)
    expect(heldOutLosses[keptEpoch - 1]).toBe(Math.min(...heldOutLosses))
    expect([model.trainedRowCount, model.heldOutRowCount]).toEqual([150, 50])
    const scores = scoreAutoencoder(model, selectRows(noise, heldOutRows))
    expect(mean(scores) / 2).toBeCloseTo(heldOutLosses[keptEpoch - 1]!, 6)
  })

  test('learns nothing from the cells of held-out rows but their scale', () => {
    const heldOutRows = rowRange(900, 1000)
    const options = { heldOutRows, maxEpochs: 3, patience: 3 }
    const moved = matrix.values.slice()
    // Reversing the held-out rows keeps mean and deviation up to rounding.
    for (let row = 0; row < 100; row++) {
      moved.set(matrix.values.subarray((999 - row) * 8, (1000 - row) * 8), (900 + row) * 8)
    }
    const model = fitAutoencoder(matrix, options)
    const other = fitAutoencoder(featureMatrix(moved, matrix.columnNames), options)
    expect(mean(other.weights)).toBeCloseTo(mean(model.weights), 6)
    const direct = fitAutoencoder(selectRows(matrix, rowRange(0, 900)), { maxEpochs: 3 })
    expect(direct.trainedRowCount).toBe(810)
  })

  test('fits the given rows only', () => {
    const rows = rowRange(100, 400)
    const options = { maxEpochs: 3 }
    expect(fitAutoencoder(matrix, options, rows)).toEqual(
      fitAutoencoder(selectRows(matrix, rows), options),
    )
  })

  test('goes on from an earlier model with its scaling', () => {
    const first = fitAutoencoder(matrix, { maxEpochs: 5 })
    const same = fitAutoencoder(matrix, { maxEpochs: 0, startFrom: first })
    expect(same.weights).toEqual(first.weights)
    const next = fitAutoencoder(matrix, { maxEpochs: 20, startFrom: first, learningRate: 1e-3 })
    expect(next.scaler).toEqual(first.scaler)
    expect(mean(scoreAutoencoder(next, matrix))).toBeLessThan(mean(scoreAutoencoder(first, matrix)))
    expect(() => fitAutoencoder(waves(7), { startFrom: first })).toThrow(
      expect.objectContaining({ code: 'COLUMN_MISMATCH' }),
    )
  })

  test('order, dropout and weight decay each change what is learnt, by seed', () => {
    const weightsOf = (options: AutoencoderOptions) =>
      fitAutoencoder(matrix, { maxEpochs: 2, ...options }).weights
    const plain = weightsOf({})
    expect(weightsOf({})).toEqual(plain)
    for (const options of [{ seed: 1 }, { shuffle: false }, { dropout: 0.1 }, { l2: 1 }]) {
      expect(weightsOf(options)).not.toEqual(plain)
      expect(weightsOf(options)).toEqual(weightsOf(options))
    }
  })
})

describe('missing cells', () => {
  const model = fitAutoencoder(matrix, { maxEpochs: 10 })

  test('enter as the mean and do not count', () => {
    const values = matrix.values.slice(0, 8)
    values[3] = Number.NaN
    const holed = featureMatrix(values, matrix.columnNames)
    const filled = featureMatrix(values.slice(), matrix.columnNames)
    filled.values[3] = model.scaler.centres[3]!
    const shares = explainAutoencoder(model, holed, [0])
    const whole = explainAutoencoder(model, filled, [0])
    expect(shares[3]).toBe(0)
    const others = (mean(whole) * 8 - whole[3]!) * (8 / 7)
    expect(scoreAutoencoder(model, holed)[0]).toBeCloseTo(others, 10)
  })

  test('a row without any cell scores 0, and training survives such rows and columns', () => {
    const values = matrix.values.slice(0, 800)
    values.fill(Number.NaN, 0, 8)
    for (let row = 0; row < 100; row++) values[row * 8 + 5] = Number.NaN
    const holed = featureMatrix(values, matrix.columnNames)
    const fitted = fitAutoencoder(holed, { maxEpochs: 5 })
    const scores = scoreAutoencoder(fitted, holed)
    expect(scores[0]).toBe(0)
    expect(scores.every(Number.isFinite)).toBe(true)
    expect(fitted.trainingLosses.at(-1)).toBeLessThan(fitted.trainingLosses[0]!)
  })
})

describe('scores of an autoencoder', () => {
  const model = fitAutoencoder(matrix, { hiddenSizes: [12, 4, 12], maxEpochs: 60 })

  test('are the sum of the shares of the columns', () => {
    const scores = scoreAutoencoder(model, matrix)
    const rows = [999, 0, 300]
    const shares = explainAutoencoder(model, matrix, rows)
    for (const [i, row] of rows.entries()) {
      expect(mean(shares.subarray(i * 8, i * 8 + 8)) * 8).toBeCloseTo(scores[row]!, 10)
    }
  })

  test('rise when a relation between columns breaks, though each value is usual', () => {
    const usual = mean(scoreAutoencoder(model, matrix))
    const broken = rowRange(0, 100).map((i) =>
      rowRange(0, 8).map((j) => matrix.values[((i * 7 + j * 131) % 1000) * 8 + j]!),
    )
    const scores = scoreAutoencoder(model, featureMatrixOfRows(broken, matrix.columnNames))
    expect(mean(scores)).toBeGreaterThan(3 * usual)
  })
})

test('options outside their range are refused by name', () => {
  const refuse = (options: AutoencoderOptions, name: string) =>
    expect(() => fitAutoencoder(matrix, options)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  refuse({ hiddenSizes: [] }, 'hiddenSizes')
  refuse({ hiddenSizes: [4, 0] }, 'hiddenSizes[1]')
  refuse({ maxEpochs: -1 }, 'maxEpochs')
  refuse({ batchSize: 0 }, 'batchSize')
  refuse({ patience: 0 }, 'patience')
  refuse({ learningRate: 0 }, 'learningRate')
  refuse({ learningRate: 1e30 }, 'learningRate')
  refuse({ l2: -1 }, 'l2')
  refuse({ heldOutFraction: 1 }, 'heldOutFraction')
  refuse({ heldOutRows: [1000] }, 'rows[0]')
  refuse({ heldOutRows: rowRange(0, 1000) }, 'heldOutRows')
  refuse({ dropout: 1 }, 'dropout')
  refuse({ clip: 0 }, 'clip')
  refuse({ floors: { other: 1 } }, 'other')
  expect(() => fitAutoencoder(matrix, { heldOutRows: [1] }, [1, 2])).toThrow('heldOutRows')
})
