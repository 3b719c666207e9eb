import { createRandom, nextIndex, nextOpenUnit, type Random } from '../statistics/random.ts'
import { outputCountOf, type SupervisedTarget } from '../validation/supervised-target.ts'
import { baseMargins, writeDerivatives, writeShares } from './boosting-loss.ts'
import type { BoostingValidation, CompleteOptions } from './boosting-options.ts'
import { fixedPoint } from './fixed-point.ts'
import { addLeavesByCode, addLeavesByRange, addLeavesByValue } from './grown-tree-walk.ts'
import type { GrowthCrew } from './growth-crew.ts'
import type { GrowthMemory } from './growth-memory.ts'
import type { TreeRows } from './node-task.ts'
import { judgeRound, startJudge } from './round-judge.ts'
import { growTree, type TreeNode } from './tree-growth.ts'

/** What rounds are run on. */
export type RoundsInput = {
  readonly columnNames: readonly string[]
  readonly target: SupervisedTarget
  readonly weights: Float64Array
  /** Rows with weight, rising. */
  readonly rows: Uint32Array
  readonly options: CompleteOptions
}

/** Grown trees: round by round, within a round one per output. */
export type Rounds = {
  readonly baseMargins: Float64Array
  readonly trees: readonly (readonly TreeNode[])[]
}

/** Grows the trees of all rounds, or up to the best round on the validation rows. */
export function runRounds(
  crew: GrowthCrew,
  input: RoundsInput,
  validation: BoostingValidation | undefined,
): Rounds {
  const { target, weights, options } = input
  const rowCount = weights.length
  const outputCount = outputCountOf(target)
  const base = baseMargins(target, weights)
  const margins = startMargins(base, rowCount)
  const shares = target.kind === 'classes' ? new Float64Array(margins.length) : margins
  const work = { derivatives: new Float64Array(2 * rowCount), scratch: new Uint32Array(rowCount) }
  const judge =
    validation === undefined ? undefined : startJudge(input.columnNames, base, validation)
  const isDrawn = options.rowShare < 1 || options.columnShare < 1
  const trees: TreeNode[][] = []
  for (let round = 0; round < options.roundCount; round++) {
    if (target.kind === 'classes') writeShares(margins, rowCount, shares)
    let splitCount = 0
    for (let output = 0; output < outputCount; output++) {
      writeDerivatives(target, output, shares, weights, work.derivatives)
      const random = createRandom(options.seed, 1 + round * outputCount + output)
      const { nodes, rows } = growFrom(crew, input, work, random)
      splitCount += nodes.length >>> 1
      const first = output * rowCount
      if (options.rowShare < 1) addLeavesByCode(crew.memory, input.rows, nodes, margins, first)
      else addLeavesByRange(rows, nodes, margins, first)
      if (judge !== undefined) addLeavesByValue(judge.matrix, nodes, judge.margins, output)
      trees.push(nodes)
    }
    // Without draws the next round would find no split either.
    if (splitCount === 0 && !isDrawn) {
      trees.length = round * outputCount
      break
    }
    if (judge !== undefined && !judgeRound(judge, round)) break
  }
  if (judge !== undefined) trees.length = Math.min(trees.length, judge.bestRounds * outputCount)
  return { baseMargins: base, trees }
}

function startMargins(base: Float64Array, rowCount: number): Float64Array {
  const margins = new Float64Array(base.length * rowCount)
  for (let output = 0; output < base.length; output++) {
    margins.fill(base[output]!, output * rowCount, (output + 1) * rowCount)
  }
  return margins
}

type RoundWork = { readonly derivatives: Float64Array; readonly scratch: Uint32Array }

function growFrom(
  crew: GrowthCrew,
  { rows: allRows, options }: RoundsInput,
  { derivatives, scratch }: RoundWork,
  random: Random,
): { readonly nodes: TreeNode[]; readonly rows: Uint32Array } {
  const rows = drawRows(random, allRows, options.rowShare)
  offerColumns(random, crew.memory, options.columnShare)
  const treeRows = putOnGrid(rows, derivatives, scratch)
  return { nodes: growTree(crew, treeRows, options), rows }
}

/** Rounds the rows' derivatives to the grid on which their sums are exact, in place. */
function putOnGrid(rows: Uint32Array, pairs: Float64Array, scratch: Uint32Array): TreeRows {
  let gradientSum = 0
  let hessianSum = 0
  for (let i = 0; i < rows.length; i++) {
    const at = 2 * rows[i]!
    gradientSum += Math.abs(pairs[at]!)
    hessianSum += pairs[at + 1]!
  }
  const grid = fixedPoint(gradientSum, hessianSum, rows.length)
  const { gradientRounder, hessianRounder, countUnit } = grid
  for (let i = 0; i < rows.length; i++) {
    const at = 2 * rows[i]!
    pairs[at] = pairs[at]! + gradientRounder - gradientRounder
    pairs[at + 1] = countUnit + (pairs[at + 1]! + hessianRounder - hessianRounder)
  }
  return { rows, pairs, countUnit, scratch }
}

/** A share of the rows without replacement, in their order (selection sampling, Knuth 3.4.2 S). */
function drawRows(random: Random, rows: Uint32Array, share: number): Uint32Array {
  if (share === 1) return rows.slice()
  const drawn = new Uint32Array(Math.max(1, Math.round(rows.length * share)))
  let count = 0
  for (let i = 0; i < rows.length && count < drawn.length; i++) {
    drawn[count] = rows[i]!
    count += Number(nextOpenUnit(random) * (rows.length - i) < drawn.length - count)
  }
  return drawn
}

function offerColumns(random: Random, memory: GrowthMemory, share: number): void {
  const { isOffered, columnCount } = memory
  let open = Math.max(1, Math.round(columnCount * share))
  for (let column = 0; column < columnCount; column++) {
    const isDrawn = open === columnCount - column || nextIndex(random, columnCount - column) < open
    isOffered[column] = isDrawn ? 1 : 0
    open -= isOffered[column]!
  }
}
