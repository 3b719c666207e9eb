import type { BoostedTrees } from '../boosting/boosted-trees.ts'
import { singleThreshold } from '../boosting/float32-threshold.ts'
import type { IsolationForest } from '../forest/isolation-forest.ts'
import { averagePathLength } from '../forest/path-length.ts'
import { encodeGraph, type Graph, type GraphNode } from './onnx-messages.ts'

/**
 * A boosted or isolation forest as an ONNX file (opset 13, ai.onnx.ml 3) for other runtimes.
 *
 * Input `features`: float32 rows × columns, in the model's order, which the metadata `columns`
 * repeats as JSON. Output: `probabilities` (rows × 1 for `binary`, rows × classes), `values` or
 * `scores` (rows × 1), float32. Rows of float32 values reach the same leaves as here; sums are
 * float32, so results agree to about 1e-6.
 * @returns bytes of the file, the same for equal models
 * Cost O(nodes).
 */
export function onnxOfTrees(model: BoostedTrees | IsolationForest): Uint8Array {
  return encodeGraph(model.kind === 'boosted_trees' ? boostedGraph(model) : isolationGraph(model))
}

function boostedGraph(model: BoostedTrees): Graph {
  const ensemble = emptyEnsemble()
  for (const [tree, root] of model.treeRoots.entries()) {
    const end = model.treeRoots[tree + 1] ?? model.leafValues.length
    for (let node = root; node < end; node++) {
      const [left, right] = [model.children[2 * node]!, model.children[2 * node + 1]!]
      const id = { tree, node: node - root }
      if (left === node) {
        addLeaf(ensemble, id, model.treeOutputs[tree]!, model.leafValues[node]!)
        continue
      }
      addSplit(ensemble, id, {
        column: model.splitColumns[node]!,
        threshold: model.splitThresholds[node]!,
        left: left - root,
        right: right - root,
        missingGoesLeft: model.missingGoesLeft[node]!,
      })
    }
  }
  const { output, outputCount, columnNames } = model
  const result = output === 'regression' ? 'values' : 'probabilities'
  const margins = output === 'regression' ? result : 'margins'
  const nodes = [ensembleNode(ensemble, margins, outputCount, model.baseMargins)]
  if (output === 'binary') nodes.push({ operator: 'Sigmoid', inputs: [margins], output: result })
  if (output === 'classes') {
    const attributes = { axis: { integer: 1 } }
    nodes.push({ operator: 'Softmax', inputs: [margins], output: result, attributes })
  }
  return { name: model.kind, columnNames, output: result, outputCount, constants: {}, nodes }
}

/** Score = 2^(−mean path length / c(ψ)), as the exponential of the scaled sum over trees. */
function isolationGraph(forest: IsolationForest): Graph {
  const ensemble = emptyEnsemble()
  for (let tree = 0; tree < forest.treeCount; tree++) addIsolationNode(ensemble, forest, tree, 0, 0)
  const depthUnit = averagePathLength(forest.sampleSize)
  const exponent = depthUnit > 0 ? -Math.LN2 / depthUnit : 0
  return {
    name: forest.kind,
    columnNames: forest.columnNames,
    output: 'scores',
    outputCount: 1,
    constants: { exponent },
    nodes: [
      ensembleNode(ensemble, 'depths', 1, [0]),
      { operator: 'Mul', inputs: ['depths', 'exponent'], output: 'logarithms' },
      { operator: 'Exp', inputs: ['logarithms'], output: 'scores' },
    ],
  }
}

function addIsolationNode(
  ensemble: Ensemble,
  forest: IsolationForest,
  tree: number,
  node: number,
  depth: number,
): void {
  const splitCount = 2 ** forest.heightLimit - 1
  const threshold = node < splitCount ? forest.splitThresholds[tree * splitCount + node]! : Infinity
  if (threshold === Number.POSITIVE_INFINITY) {
    let arrival = node
    for (let level = depth; level < forest.heightLimit; level++) arrival = 2 * arrival + 1
    const length = forest.leafPathLengths[tree * (splitCount + 1) + arrival - splitCount]!
    addLeaf(ensemble, { tree, node }, 0, length / forest.treeCount)
    return
  }
  const [left, right] = [2 * node + 1, 2 * node + 2]
  const column = forest.splitColumns[tree * splitCount + node]!
  addSplit(ensemble, { tree, node }, { column, threshold, left, right, missingGoesLeft: 0 })
  addIsolationNode(ensemble, forest, tree, left, depth + 1)
  addIsolationNode(ensemble, forest, tree, right, depth + 1)
}

/** Attributes of the operator TreeEnsembleRegressor, grown node by node. */
type Ensemble = {
  readonly treeIds: number[]
  readonly nodeIds: number[]
  readonly columns: number[]
  readonly thresholds: number[]
  readonly modes: string[]
  readonly left: number[]
  readonly right: number[]
  readonly missingGoesLeft: number[]
  readonly leafTreeIds: number[]
  readonly leafNodeIds: number[]
  readonly leafOutputs: number[]
  readonly leafValues: number[]
}

type NodeId = { readonly tree: number; readonly node: number }

type Split = {
  readonly column: number
  readonly threshold: number
  readonly left: number
  readonly right: number
  readonly missingGoesLeft: number
}

function emptyEnsemble(): Ensemble {
  return {
    treeIds: [],
    nodeIds: [],
    columns: [],
    thresholds: [],
    modes: [],
    left: [],
    right: [],
    missingGoesLeft: [],
    leafTreeIds: [],
    leafNodeIds: [],
    leafOutputs: [],
    leafValues: [],
  }
}

function addSplit(ensemble: Ensemble, { tree, node }: NodeId, split: Split): void {
  ensemble.treeIds.push(tree)
  ensemble.nodeIds.push(node)
  ensemble.columns.push(split.column)
  ensemble.thresholds.push(singleThreshold(split.threshold))
  ensemble.modes.push('BRANCH_LT')
  ensemble.left.push(split.left)
  ensemble.right.push(split.right)
  ensemble.missingGoesLeft.push(split.missingGoesLeft)
}

function addLeaf(ensemble: Ensemble, { tree, node }: NodeId, output: number, value: number): void {
  ensemble.treeIds.push(tree)
  ensemble.nodeIds.push(node)
  ensemble.columns.push(0)
  ensemble.thresholds.push(0)
  ensemble.modes.push('LEAF')
  ensemble.left.push(0)
  ensemble.right.push(0)
  ensemble.missingGoesLeft.push(0)
  ensemble.leafTreeIds.push(tree)
  ensemble.leafNodeIds.push(node)
  ensemble.leafOutputs.push(output)
  ensemble.leafValues.push(value)
}

function ensembleNode(
  ensemble: Ensemble,
  output: string,
  outputCount: number,
  baseValues: ArrayLike<number>,
): GraphNode {
  return {
    operator: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    inputs: ['features'],
    output,
    attributes: {
      n_targets: { integer: outputCount },
      aggregate_function: { text: 'SUM' },
      post_transform: { text: 'NONE' },
      base_values: { floats: baseValues },
      nodes_treeids: { integers: ensemble.treeIds },
      nodes_nodeids: { integers: ensemble.nodeIds },
      nodes_featureids: { integers: ensemble.columns },
      nodes_values: { floats: ensemble.thresholds },
      nodes_modes: { texts: ensemble.modes },
      nodes_truenodeids: { integers: ensemble.left },
      nodes_falsenodeids: { integers: ensemble.right },
      nodes_missing_value_tracks_true: { integers: ensemble.missingGoesLeft },
      target_treeids: { integers: ensemble.leafTreeIds },
      target_nodeids: { integers: ensemble.leafNodeIds },
      target_ids: { integers: ensemble.leafOutputs },
      target_weights: { floats: ensemble.leafValues },
    },
  }
}
