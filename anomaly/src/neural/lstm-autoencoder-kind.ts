import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloat32s,
  readInteger,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import { readScaler } from './autoencoder-kind.ts'
import type { LstmAutoencoder } from './lstm-autoencoder.ts'
import { explainLstmAutoencoder, scoreLstmWindows } from './lstm-autoencoder-score.ts'
import { type LstmParameters, type LstmShape, lstmParameterCounts } from './lstm-network.ts'
import { parseTrainingHistory } from './training-history-state.ts'
import { channelNamesOf } from './window-matrix.ts'

/** The LSTM autoencoder as a detector whose rows are windows. */
export const lstmAutoencoderKind: DetectorKind<LstmAutoencoder> = {
  kind: 'lstm_autoencoder',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreLstmWindows(model, values, rowStart, rowEnd, out),
  explainRows: (model, matrix, rowIndices) => explainLstmAutoencoder(model, matrix, rowIndices),
  parse: parseLstmAutoencoder,
}

function parseLstmAutoencoder(state: StateObject): LstmAutoencoder {
  const columnNames = readColumnNames(state)
  const stepCount = readInteger(state, 'stepCount', 1, columnNames.length)
  const channelCount = readInteger(state, 'channelCount', 1)
  if (stepCount * channelCount !== columnNames.length) {
    throw invalidState('channelCount', `${columnNames.length} / ${stepCount}`, channelCount)
  }
  const shape = {
    stepCount,
    channelCount,
    hiddenSize: readInteger(state, 'hiddenSize', 1, 4096),
    latentSize: readInteger(state, 'latentSize', 0, 4096),
  }
  return {
    kind: 'lstm_autoencoder',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    ...shape,
    scaler: readScaler(state, channelNamesOf(columnNames, stepCount)),
    scoredSteps: readInteger(state, 'scoredSteps', 1, stepCount),
    parameters: readParameters(readObject(state.parameters, 'parameters'), shape),
    ...parseTrainingHistory(state),
    seed: readInteger(state, 'seed', 0),
    randomAlgorithm: readLiteral(state, 'randomAlgorithm', [RANDOM_ALGORITHM]),
  }
}

function readParameters(state: StateObject, shape: LstmShape): LstmParameters {
  const read = lstmParameterCounts(shape).map(([name, count]) => [
    name,
    readFloat32s(state, name, count),
  ])
  // `lstmParameterCounts` names every parameter once.
  return Object.fromEntries(read) as LstmParameters
}
