import type { FeatureMatrix } from '../feature-matrix.ts'
import { countObserved } from './dense-training.ts'
import type { LstmAutoencoder, LstmStart } from './lstm-autoencoder.ts'
import { backwardLstm } from './lstm-backward.ts'
import { forwardLstm, gatherWindows } from './lstm-forward.ts'
import { createLstmNetwork, loadLstm, readLstm } from './lstm-network.ts'
import { scaleObserved } from './observed-scaler.ts'
import { stepParameters } from './parameter-block.ts'
import { runTraining, type TrainingHistory } from './training.ts'
import type { CompleteTraining } from './training-options.ts'

/** Trains from the given parameters on all windows. */
export function trainLstm(
  start: LstmStart,
  windows: FeatureMatrix,
  options: CompleteTraining,
): TrainingHistory & Pick<LstmAutoencoder, 'parameters'> {
  const { l2, learningRate, batchSize } = options
  const { rowCount, values, columnNames } = windows
  const { scaler, channelCount, stepCount, hiddenSize, latentSize } = start
  const shape = { channelCount, stepCount, hiddenSize, latentSize }
  const network = createLstmNetwork(shape, Math.min(batchSize, rowCount), {
    windowCount: rowCount,
    isTrained: true,
  })
  loadLstm(network, start.parameters)
  const { kernel, parameters, widths, cells, items, output, target, gradient } = network
  const { floats } = kernel
  const hasMissing = scaleObserved(
    scaler,
    values,
    0,
    rowCount * stepCount,
    floats,
    cells,
    widths.channel,
  )
  const restore = (rows: Uint32Array) => {
    kernel.integers.set(rows, items)
    gatherWindows(network, rows.length)
    forwardLstm(network, rows.length)
  }
  let step = 0
  const history = runTraining(
    {
      parameters: floats.subarray(parameters.values, parameters.values + parameters.count),
      train(rows) {
        restore(rows)
        const squares = backwardLstm(network, rows.length, l2)
        stepParameters(kernel, parameters, ++step, learningRate)
        return squares
      },
      measure(rows) {
        restore(rows)
        const count = rows.length * stepCount * widths.channel
        return kernel.residual(output, target, gradient.output, 1, count)
      },
      observedCells: (rows) =>
        hasMissing
          ? countObserved(values, columnNames.length, rows)
          : rows.length * columnNames.length,
    },
    rowCount,
    options,
  )
  return { ...history, parameters: readLstm(network) }
}
