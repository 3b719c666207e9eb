import {
  invalidState,
  readFloats,
  readIndices,
  readInteger,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import type { ColumnScaler } from '../statistics/column-scaler.ts'
import { parseColumnScaler } from '../statistics/column-scaler-state.ts'
import type { KdTree } from './kd-tree.ts'

/** Reads the k-d tree of a model file: every length and index is checked. */
export function parseKdTree(
  parent: StateObject,
  dimensionCount: number,
  minimumPoints = 2,
): KdTree {
  const state = readObject(parent.tree, 'tree')
  const pointCount = readInteger(state, 'pointCount', minimumPoints)
  // Read, not derived: the leaf size of the release that wrote the file does not matter.
  const levelCount = readInteger(state, 'levelCount', 0, 24)
  const nodeCount = 2 ** (levelCount + 1) - 1
  return {
    dimensionCount: readInteger(state, 'dimensionCount', dimensionCount, dimensionCount),
    pointCount,
    levelCount,
    points: readFloats(state, 'points', pointCount * dimensionCount),
    originalIndices: readIndices(state, 'originalIndices', Uint32Array, pointCount, pointCount),
    boxes: readFloats(state, 'boxes', nodeCount * 2 * dimensionCount),
  }
}

/** Reads the scaler of a model whose columns are `columnNames`. */
export function parseScalerOf(parent: StateObject, columnNames: readonly string[]): ColumnScaler {
  const scaler = parseColumnScaler(readObject(parent.scaler, 'scaler'))
  if (scaler.columnNames.join('\n') !== columnNames.join('\n')) {
    throw invalidState('scaler.columnNames', 'the columns of the model', scaler.columnNames)
  }
  return scaler
}
