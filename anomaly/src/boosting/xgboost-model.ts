import { type AnomalyError, invalidOption } from '../errors.ts'
import { invalidState } from '../model-file/model-state-reader.ts'
import { RANDOM_ALGORITHM } from '../statistics/random.ts'
import type { BoostedOutput, BoostedTrees } from './boosted-trees.ts'
import { doubleThreshold } from './float32-threshold.ts'
import { type PackableNode, packTrees } from './tree-packing.ts'

/**
 * Boosted trees from a model that XGBoost saved as JSON (`save_model('model.json')`, versions 1.6
 * to 3.x): the same margins for the same rows up to float32 rounding in XGBoost, with exact
 * explanations from `explainBoostedTrees`.
 *
 * Taken: booster gbtree with numeric splits; objectives binary:logistic, binary:logitraw,
 * multi:softprob, multi:softmax, reg:squarederror, reg:absoluteerror, reg:pseudohubererror. All
 * trees are taken: early stopping's best iteration is the caller's to cut before saving.
 * @param json the parsed file
 * @param columnNames names for the model's features; default those in the file, else f0, f1, …
 * @throws MODEL_FILE_INVALID naming the field; INVALID_OPTION for the wrong number of names
 * Cost O(nodes). Source: XGBoost's JSON schema, doc/model.schema.
 */
export function boostedTreesOfXgboost(
  json: unknown,
  columnNames?: readonly string[],
): BoostedTrees {
  const learner = fieldOf(json, 'learner', 'model')
  const parameters = fieldOf(learner, 'learner_model_param', 'learner')
  const featureCount = integerOf(fieldOf(parameters, 'num_feature', 'parameters'), 'num_feature')
  const objective = textOf(
    fieldOf(fieldOf(learner, 'objective', 'learner'), 'name', 'objective'),
    'objective.name',
  )
  const output = outputOf(objective)
  const classCount = integerOf(fieldOf(parameters, 'num_class', 'parameters'), 'num_class')
  const outputCount = output === 'classes' ? classCount : 1
  const booster = fieldOf(learner, 'gradient_booster', 'learner')
  if (fieldOf(booster, 'name', 'gradient_booster') !== 'gbtree') {
    throw invalidState('gradient_booster.name', 'gbtree', String(fieldOf(booster, 'name', '')))
  }
  const model = fieldOf(booster, 'model', 'gradient_booster')
  const treeOutputs = numbersOf(fieldOf(model, 'tree_info', 'model'), 'tree_info')
  const trees = listOf(fieldOf(model, 'trees', 'model'), 'trees').map((tree, index) =>
    readTree(tree, `trees[${index}]`, featureCount),
  )
  if (trees.length !== treeOutputs.length) {
    throw invalidState('tree_info', `${trees.length} entries`, treeOutputs.length)
  }
  for (const treeOutput of treeOutputs) {
    if (!(Number.isInteger(treeOutput) && treeOutput >= 0 && treeOutput < outputCount)) {
      throw invalidState('tree_info', `classes below ${outputCount}`, treeOutput)
    }
  }
  return {
    kind: 'boosted_trees',
    stateVersion: 1,
    columnNames: namesOf(learner, featureCount, columnNames),
    output,
    outputCount,
    baseMargins: baseMarginsOf(
      fieldOf(parameters, 'base_score', 'parameters'),
      objective,
      outputCount,
    ),
    seed: 0,
    randomAlgorithm: RANDOM_ALGORITHM,
    trainingRowCount: 0,
    ...packTrees(trees, (tree) => treeOutputs[tree]!),
  }
}

const outputs: ReadonlyMap<string, BoostedOutput> = new Map([
  ['binary:logistic', 'binary'],
  ['binary:logitraw', 'regression'],
  ['multi:softprob', 'classes'],
  ['multi:softmax', 'classes'],
  ['reg:squarederror', 'regression'],
  ['reg:absoluteerror', 'regression'],
  ['reg:pseudohubererror', 'regression'],
])

function outputOf(objective: string): BoostedOutput {
  const output = outputs.get(objective)
  if (output !== undefined) return output
  throw invalidState('objective.name', `one of ${[...outputs.keys()].join(', ')}`, objective)
}

/** XGBoost 3 writes one score per output, "[a,b]"; before, one for all. */
function baseMarginsOf(score: unknown, objective: string, outputCount: number): Float64Array {
  const parts = textOf(score, 'base_score')
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map(Number)
  const margins = new Float64Array(outputCount)
  for (let output = 0; output < outputCount; output++) {
    const part = parts[parts.length === 1 ? 0 : output]
    if (part === undefined || !Number.isFinite(part)) {
      throw invalidState('base_score', `${outputCount} finite numbers`, String(score))
    }
    // The score of a logistic model is a probability, of others a margin.
    const score32 = Math.fround(part)
    margins[output] = objective === 'binary:logistic' ? Math.log(score32 / (1 - score32)) : score32
  }
  return margins
}

function namesOf(
  learner: unknown,
  featureCount: number,
  given: readonly string[] | undefined,
): readonly string[] {
  if (given !== undefined) {
    if (given.length === featureCount && new Set(given).size === featureCount) return [...given]
    throw invalidOption('columnNames', `${featureCount} distinct names`, given.length)
  }
  const stored = isObject(learner) ? learner.feature_names : undefined
  const names = Array.isArray(stored) ? stored.filter((name) => typeof name === 'string') : []
  if (names.length === featureCount && new Set(names).size === featureCount) return names
  return Array.from({ length: featureCount }, (_, feature) => `f${feature}`)
}

/** Nodes of one tree, parents first: nodes that XGBoost pruned stand in its arrays, unreached. */
function readTree(tree: unknown, where: string, featureCount: number): PackableNode[] {
  const column = (name: string) => numbersOf(fieldOf(tree, name, where), `${where}.${name}`)
  const leftChildren = column('left_children')
  const rightChildren = column('right_children')
  const conditions = column('split_conditions')
  const features = column('split_indices')
  const defaultLeft = column('default_left')
  const hessians = column('sum_hessian')
  const gains = column('loss_changes')
  if (isObject(tree) && Array.isArray(tree.categories) && tree.categories.length > 0) {
    throw invalidState(`${where}.categories`, 'none: splits on categories are not supported', '')
  }
  const nodes: PackableNode[] = []
  const queue = [0]
  for (const source of queue) {
    const index = nodes.length
    const threshold = conditions[source]
    const feature = features[source]
    if (threshold === undefined || feature === undefined || !(feature < featureCount)) {
      throw invalidState(`${where}, node ${source}`, `a split below ${featureCount}`, feature)
    }
    const isLeaf = leftChildren[source] === -1
    // Every node before this one has its children in the queue already.
    const left = isLeaf ? index : queue.length
    nodes.push({
      column: feature,
      threshold: isLeaf ? 0 : doubleThreshold(threshold),
      missingGoesLeft: defaultLeft[source] === 1,
      left,
      right: isLeaf ? index : left + 1,
      gain: gains[source] ?? 0,
      value: threshold,
      cover: hessians[source] ?? 0,
    })
    if (isLeaf) continue
    queue.push(leftChildren[source]!, rightChildren[source] ?? -1)
    if (queue.length > leftChildren.length) throw cyclicTree(where)
  }
  return nodes
}

function cyclicTree(where: string): AnomalyError {
  return invalidState(where, 'a tree', 'nodes that reach each other twice')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function fieldOf(value: unknown, name: string, where: string): unknown {
  const field = isObject(value) ? value[name] : undefined
  if (field === undefined) throw invalidState(`${where}.${name}`, 'present', 'absent')
  return field
}

function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value
  throw invalidState(where, 'a string', value)
}

function integerOf(value: unknown, where: string): number {
  const number = Number(textOf(value, where))
  if (Number.isInteger(number) && number >= 0) return number
  throw invalidState(where, 'an integer ≥ 0', value)
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalidState(where, 'a list', value)
}

/**
 * A list of numbers; older versions write flags as true and false. The file holds the shortest
 * decimals that name a float32, so that only the rounded number is the model's.
 */
function numbersOf(value: unknown, where: string): readonly number[] {
  return listOf(value, where).map((entry, index) => {
    const number = typeof entry === 'boolean' ? Number(entry) : entry
    if (typeof number === 'number') return Math.fround(number)
    throw invalidState(`${where}[${index}]`, 'a number', entry)
  })
}
