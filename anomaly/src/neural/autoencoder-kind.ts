import type { DetectorKind } from '../detector-kind.ts'
import {
  invalidState,
  readColumnNames,
  readFloat32s,
  readIndices,
  readInteger,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { parseColumnScaler } from '../statistics/column-scaler-state.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import type { Autoencoder } from './autoencoder.ts'
import { explainAutoencoder, scoreAutoencoderRows } from './autoencoder-score.ts'
import { parseTrainingHistory } from './training-history-state.ts'

/** The dense autoencoder as a detector. */
export const autoencoderKind: DetectorKind<Autoencoder> = {
  kind: 'autoencoder',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreAutoencoderRows(model, values, rowStart, rowEnd, out),
  explainRows: (model, matrix, rowIndices) => explainAutoencoder(model, matrix, rowIndices),
  parse: parseAutoencoder,
}

function parseAutoencoder(state: StateObject): Autoencoder {
  const columnNames = readColumnNames(state)
  const layerSizes = readLayerSizes(state, columnNames.length)
  let weightCount = 0
  let biasCount = 0
  for (let layer = 1; layer < layerSizes.length; layer++) {
    weightCount += layerSizes[layer - 1]! * layerSizes[layer]!
    biasCount += layerSizes[layer]!
  }
  return {
    kind: 'autoencoder',
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    scaler: readScaler(state, columnNames),
    layerSizes,
    activation: readLiteral(state, 'activation', ['relu', 'tanh']),
    weights: readFloat32s(state, 'weights', weightCount),
    biases: readFloat32s(state, 'biases', biasCount),
    ...parseTrainingHistory(state),
    seed: readInteger(state, 'seed', 0),
    randomAlgorithm: readLiteral(state, 'randomAlgorithm', [RANDOM_ALGORITHM]),
  }
}

function readLayerSizes(state: StateObject, columnCount: number): Uint32Array {
  const found = state.layerSizes
  if (!(found instanceof Uint32Array) || found.length < 3) {
    throw invalidState('layerSizes', 'a Uint32Array of at least 3', found ?? null)
  }
  const sizes = readIndices(state, 'layerSizes', Uint32Array, found.length, 65_537)
  if (sizes[0] !== columnCount || sizes.at(-1) !== columnCount || sizes.includes(0)) {
    throw invalidState('layerSizes', `from ${columnCount} to ${columnCount}, without 0`, sizes)
  }
  return sizes
}

/** The scaler of the given columns or channels. */
export function readScaler(state: StateObject, columnNames: readonly string[]) {
  const scaler = parseColumnScaler(readObject(state.scaler, 'scaler'))
  if (scaler.columnNames.join('\n') !== columnNames.join('\n')) {
    throw invalidState('scaler.columnNames', columnNames.join(', '), scaler.columnNames.join(', '))
  }
  if (scaler.scales.some((scale) => !(scale > 0)) || !(scaler.clip > 0)) {
    throw invalidState('scaler.scales', '> 0', 'a scale that is not')
  }
  return scaler
}
