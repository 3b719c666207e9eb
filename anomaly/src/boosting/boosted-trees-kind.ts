import type { DetectorKind } from '../detector-kind.ts'
import { explainBoostedTrees } from '../explain/boosted-explain.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { abnormalShares, linkMargins } from '../linear/margin-link.ts'
import type { ModelState } from '../model-file/model-file.ts'
import {
  invalidState,
  readColumnNames,
  readFloats,
  readIndices,
  readInteger,
  readLiteral,
  readObject,
  type StateObject,
} from '../model-file/model-state-reader.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import { writeMargins } from './boosted-predict.ts'
import type { BoostedTrees } from './boosted-trees.ts'

/**
 * Boosted trees as a detector, so that pools and model files take them. The score is the
 * probability of class 1 for `binary`, of any class but 0 (the normal one) for `classes`, and the
 * predicted value for `regression`; the explanation is in margins: log-odds of class 1, the logit of
 * class 0 with its sign turned, or the value.
 */
export const boostedTreesKind: DetectorKind<BoostedTrees> = {
  kind: 'boosted_trees',
  missingValues: 'left out',
  needsGroups: false,
  scoreRows: (model, values, _, rowStart, rowEnd, out) =>
    scoreRows(model, values, rowStart, rowEnd, out),
  explainRows: (model, matrix, rowIndices) => explainRows(model, matrix, rowIndices),
  parse,
}

/**
 * Turns decoded data into boosted trees after checking every field, length and index.
 * @throws MODEL_FILE_INVALID naming the field
 */
export function parseBoostedTrees(value: ModelState): BoostedTrees {
  return parse(readObject(value, 'boosted trees'))
}

function scoreRows(
  model: BoostedTrees,
  values: Float64Array,
  rowStart: number,
  rowEnd: number,
  out: Float64Array,
): void {
  const { output, outputCount } = model
  if (output !== 'classes') {
    writeMargins(model, values, rowStart, rowEnd, out)
    if (output === 'binary') linkMargins(1, out, rowStart, rowEnd)
    return
  }
  const rowCount = rowEnd - rowStart
  const cells = values.subarray(
    rowStart * model.columnNames.length,
    rowEnd * model.columnNames.length,
  )
  const shares = new Float64Array(rowCount * outputCount)
  writeMargins(model, cells, 0, rowCount, shares)
  linkMargins(outputCount, shares, 0, rowCount)
  abnormalShares(shares, outputCount, rowStart, out)
}

function explainRows(
  model: BoostedTrees,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): Float64Array {
  const { contributions } = explainBoostedTrees(model, matrix, rowIndices)
  if (model.output !== 'classes') return contributions
  const columnCount = model.columnNames.length
  const out = new Float64Array(rowIndices.length * columnCount)
  for (let row = 0; row < rowIndices.length; row++) {
    const start = row * model.outputCount * columnCount
    for (let c = 0; c < columnCount; c++) {
      out[row * columnCount + c] = 0 - contributions[start + c]!
    }
  }
  return out
}

function parse(state: StateObject): BoostedTrees {
  const columnNames = readColumnNames(state)
  const output = readLiteral(state, 'output', ['binary', 'classes', 'regression'])
  const outputCount = readInteger(
    state,
    'outputCount',
    output === 'classes' ? 2 : 1,
    output === 'classes' ? 1000 : 1,
  )
  const treeCount = readLength(state, 'treeRoots')
  const nodeCount = readLength(state, 'leafValues')
  const model: BoostedTrees = {
    kind: readLiteral(state, 'kind', ['boosted_trees']),
    stateVersion: readLiteral(state, 'stateVersion', [1]),
    columnNames,
    output,
    outputCount,
    baseMargins: readFloats(state, 'baseMargins', outputCount),
    seed: readInteger(state, 'seed', 0),
    randomAlgorithm: readLiteral(state, 'randomAlgorithm', [RANDOM_ALGORITHM]),
    trainingRowCount: readInteger(state, 'trainingRowCount', 0),
    treeOutputs: readIndices(state, 'treeOutputs', Uint16Array, treeCount, outputCount),
    treeRoots: readIndices(state, 'treeRoots', Uint32Array, treeCount, nodeCount),
    splitColumns: readIndices(state, 'splitColumns', Uint16Array, nodeCount, columnNames.length),
    splitThresholds: readFloats(state, 'splitThresholds', nodeCount),
    missingGoesLeft: readIndices(state, 'missingGoesLeft', Uint8Array, nodeCount, 2),
    children: readIndices(state, 'children', Uint32Array, 2 * nodeCount, nodeCount),
    leafValues: readFloats(state, 'leafValues', nodeCount),
    nodeCovers: readFloats(state, 'nodeCovers', nodeCount),
    splitGains: readFloats(state, 'splitGains', nodeCount),
  }
  requireTrees(model)
  return model
}

function readLength(state: StateObject, key: string): number {
  const value = state[key]
  if (ArrayBuffer.isView(value) && 'length' in value) return value.length
  throw invalidState(key, 'a typed array', value)
}

/**
 * Refuses nodes that are no trees: every node but a root is the child of exactly one earlier node
 * of its tree. So every walk ends, within the arrays.
 */
function requireTrees({ treeRoots, children, leafValues }: BoostedTrees): void {
  if (leafValues.length > 0 && treeRoots[0] !== 0) {
    throw invalidState('treeRoots[0]', '0', treeRoots[0])
  }
  for (const [tree, root] of treeRoots.entries()) {
    const end = treeRoots[tree + 1] ?? leafValues.length
    if (end <= root) throw invalidState(`treeRoots[${tree + 1}]`, `above ${root}`, end)
    const hasParent = new Uint8Array(end - root)
    hasParent[0] = 1
    for (let node = root; node < end; node++) {
      const left = children[2 * node]!
      const right = children[2 * node + 1]!
      if (left === node && right === node) continue
      for (const child of [left, right]) {
        if (child <= node || child >= end || hasParent[child - root] === 1) {
          throw invalidState(`children of node ${node}`, `new nodes in (${node}, ${end})`, child)
        }
        hasParent[child - root] = 1
      }
    }
    const orphan = hasParent.indexOf(0)
    if (orphan >= 0) throw invalidState(`node ${root + orphan}`, 'the child of a node', 'an orphan')
  }
}
