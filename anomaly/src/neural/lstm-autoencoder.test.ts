import { afterAll, describe, expect, test } from 'vitest'
import { type FeatureMatrix, selectRows } from '../feature-matrix.ts'
import { encodeModel } from '../model-file/model-file.ts'
import { createScoringPool } from '../threads/scoring-pool.ts'
import { fitLstmAutoencoder, type LstmAutoencoderOptions } from './lstm-autoencoder.ts'
import { explainLstmAutoencoder, scoreLstmAutoencoder } from './lstm-autoencoder-score.ts'
import { windowMatrix } from './window-matrix.ts'

const STEPS = 12
const CHANNELS = ['a', 'b', 'c']

/** 400 windows of three waves whose phase and speed vary, from a formula any language can repeat. */
function waves(): FeatureMatrix {
  const values = new Float64Array(400 * STEPS * 3)
  for (let window = 0; window < 400; window++) {
    for (let step = 0; step < STEPS; step++) {
      for (let channel = 0; channel < 3; channel++) {
        const phase = 0.9 * window + 0.25 * (channel + 1) * step
        const noise = 0.1 * Math.sin(12.9898 * (window * STEPS + step) * (channel + 1.5))
        values[(window * STEPS + step) * 3 + channel] =
          (channel + 1) * (Math.sin(phase) + 0.3 * Math.cos(0.7 * window)) + noise
      }
    }
  }
  return windowMatrix(values, CHANNELS, STEPS)
}

const windows = waves()
const options = { stepCount: STEPS, hiddenSize: 8 }
const rowRange = (start: number, end: number) =>
  Array.from({ length: end - start }, (_, i) => start + i)
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

describe('LSTM autoencoder', () => {
  test.each([
    [undefined, [0.513387, 0.4994588, 0.4808771, 0.4505208, 0.4214003]],
    [3, [0.5223951, 0.5099708, 0.502192, 0.4978181, 0.4881581]],
  ])('with latent size %s takes the steps of torch from the same weights', (latentSize, losses) => {
    // torch 2.15.0: LSTM, latent Linear where there is one, LSTM, Linear with the parameters of
    // the fit with maxEpochs 0, both bias_hh 0 and frozen; rows in order, batches of 16, loss
    // ((y - x) ** 2).sum() / 2 / batch, Adam(1e-3). Mean per cell and epoch of ½·error².
    const settings = { ...options, batchSize: 16, heldOutFraction: 0, shuffle: false, maxEpochs: 5 }
    const latent = latentSize === undefined ? {} : { latentSize }
    const { trainingLosses } = fitLstmAutoencoder(windows, { ...settings, ...latent })
    for (const [epoch, loss] of losses.entries()) expect(trainingLosses[epoch]).toBeCloseTo(loss, 6)
  })

  test('without epochs is the network it starts from', () => {
    const model = fitLstmAutoencoder(windows, { ...options, latentSize: 3, maxEpochs: 0 })
    expect(model.parameters.encoderInput).toHaveLength(3 * 32)
    expect(model.parameters.latentWeights).toHaveLength(8 * 3)
    expect(model.parameters.decoderInput).toHaveLength(3 * 32)
    const bound = 1 / Math.sqrt(8)
    const largest = Math.max(...model.parameters.encoderState.map(Math.abs))
    expect(largest).toBeLessThanOrEqual(bound)
    expect(largest).toBeGreaterThan(0.9 * bound)
    expect(model.scaler.columnNames).toEqual(CHANNELS)
  })

  test('the same seed gives the same bytes, another gives others', () => {
    const bytesOf = (seed: number) =>
      encodeModel(fitLstmAutoencoder(windows, { ...options, maxEpochs: 2, seed }))
    expect(bytesOf(1)).toEqual(bytesOf(1))
    expect(bytesOf(2)).not.toEqual(bytesOf(1))
  })

  test('stops when the held-out loss has not fallen, and keeps its lowest', () => {
    const few = selectRows(windows, rowRange(0, 60))
    const settings = { ...options, learningRate: 0.05, patience: 3, batchSize: 10 }
    const heldOutRows = rowRange(40, 60)
    const model = fitLstmAutoencoder(few, { ...settings, heldOutRows, maxEpochs: 300 })
    expect(model.heldOutLosses).toHaveLength(model.keptEpoch + 3)
    expect(model.heldOutLosses.length).toBeLessThan(300)
    const scores = scoreLstmAutoencoder(model, selectRows(few, heldOutRows))
    expect(mean(scores) / 2).toBeCloseTo(Math.min(...model.heldOutLosses), 6)
  })

  test('goes on from an earlier model with its scaling and sizes', () => {
    const first = fitLstmAutoencoder(windows, { ...options, maxEpochs: 2 })
    const next = fitLstmAutoencoder(windows, { stepCount: STEPS, maxEpochs: 4, startFrom: first })
    expect(next.hiddenSize).toBe(8)
    expect(next.scaler).toEqual(first.scaler)
    expect(next.trainingLosses[3]).toBeLessThan(first.trainingLosses[1]!)
    expect(() => fitLstmAutoencoder(windows, { stepCount: 6, startFrom: first })).toThrow(
      'stepCount is 6',
    )
  })
})

describe('scores of an LSTM autoencoder', () => {
  const model = fitLstmAutoencoder(windows, { ...options, maxEpochs: 30, batchSize: 16 })
  const pool = createScoringPool(2)
  afterAll(() => pool.close())

  test('do not depend on threads, order or neighbours', async () => {
    const all = scoreLstmAutoencoder(model, windows)
    expect(await pool.score(model, windows)).toEqual(all)
    const some = [399, 0, 70, 71]
    const alone = scoreLstmAutoencoder(model, selectRows(windows, some))
    expect(Array.from(alone)).toEqual(some.map((row) => all[row]))
  })

  test('are the sum of the shares, which point to the step and channel that changed', () => {
    const odd = selectRows(windows, [5])
    odd.values[7 * 3 + 1] = odd.values[7 * 3 + 1]! + 8
    const shares = explainLstmAutoencoder(model, odd, [0])
    expect(shares.indexOf(Math.max(...shares))).toBe(7 * 3 + 1)
    expect(odd.columnNames[7 * 3 + 1]).toBe('b@7')
    expect(mean(shares) * shares.length).toBeCloseTo(scoreLstmAutoencoder(model, odd)[0]!, 10)
  })

  test('can look at the last steps only', () => {
    const scoredSteps = 2
    const last = fitLstmAutoencoder(windows, { ...options, maxEpochs: 1, scoredSteps })
    const shares = explainLstmAutoencoder(last, windows, [3])
    expect(shares.subarray(0, 30).every((share) => share === 0)).toBe(true)
    const whole = fitLstmAutoencoder(windows, { ...options, maxEpochs: 1 })
    const all = explainLstmAutoencoder(whole, windows, [3])
    expect(mean(shares.subarray(30))).toBeCloseTo(6 * mean(all.subarray(30)), 10)
  })

  test('leave missing cells out; a window without any scores 0', () => {
    const holed = selectRows(windows, [1, 2])
    holed.values.fill(Number.NaN, 0, 36)
    holed.values[40] = Number.NaN
    const scores = scoreLstmAutoencoder(model, holed)
    const shares = explainLstmAutoencoder(model, holed, [1])
    expect(scores[0]).toBe(0)
    expect(shares[4]).toBe(0)
    expect(mean(shares) * 36).toBeCloseTo(scores[1]!, 10)
    const fitted = fitLstmAutoencoder(holed, { ...options, maxEpochs: 3 })
    expect(fitted.trainingLosses.every((loss) => loss > 0)).toBe(true)
  })
})

test('options and windows outside their range are refused by name', () => {
  const refuse = (changes: Partial<LstmAutoencoderOptions>, name: string) =>
    expect(() => fitLstmAutoencoder(windows, { ...options, ...changes })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  refuse({ stepCount: 7 }, 'stepCount')
  refuse({ stepCount: 0 }, 'stepCount')
  refuse({ hiddenSize: 0 }, 'hiddenSize')
  refuse({ latentSize: 0 }, 'latentSize')
  refuse({ scoredSteps: 13 }, 'scoredSteps')
  expect(() => fitLstmAutoencoder(selectRows(windows, []), options)).toThrow('at least 1')
  expect(() => windowMatrix(new Float64Array(35), CHANNELS, STEPS)).toThrow('values.length')
  expect(() => windowMatrix(new Float64Array(36), CHANNELS, 0)).toThrow('stepCount')
  expect(() => windowMatrix(new Float64Array(36), [], STEPS)).toThrow('columnNames')
})
