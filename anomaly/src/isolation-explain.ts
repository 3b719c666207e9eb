import { AnomalyError } from './errors.ts'
import {
  type FeatureMatrix,
  requireColumns,
  requireFinite,
  requireRowIndices,
  selectRows,
} from './feature-matrix.ts'
import type { IsolationForest } from './isolation-forest.ts'
import { forestDepths } from './isolation-score.ts'
import { averagePathLength } from './path-length.ts'
import { gaussLegendre, type Quadrature, type TreeGame, treeGame } from './tree-shap-game.ts'

/** Largest allowed gap between the sum of attributions and the explained depth. */
export const ADDITIVITY_TOLERANCE = 1e-6

/** Exact Shapley explanation of forest scores. */
export type IsolationExplanation = {
  /**
   * rowIndices.length × columns, row-major, in units of c(ψ): positive pushes towards anomaly.
   * base − Σ contributions · c(ψ) is the row's mean path length.
   */
  readonly contributions: Float64Array
  /** Expected path length without knowing any column. */
  readonly expectedDepth: number
  /** Mean path length of each explained row. */
  readonly depths: Float64Array
  /** Largest |Σ attributions + base − depth| over the explained rows. */
  readonly additivityError: number
}

/**
 * Explains rows by path-dependent TreeSHAP on the expected path length (node weights are training
 * counts), sign flipped and divided by c(ψ).
 * @param rowIndices rows of `matrix` to explain, e.g. the flagged ones
 * @throws ADDITIVITY_VIOLATED if attributions miss the depth by more than 1e-6; COLUMN_MISMATCH;
 *   NOT_FINITE; INVALID_OPTION for an index outside the matrix
 * Cost O(rows · nodes of the forest · heightLimit / 2): about 1 ms per row for 200 × 256.
 * Source: Lundberg et al. 2020 for the game; Owen 1972 for the integral form, see `TreeGame`.
 */
export function explainIsolationForest(
  forest: IsolationForest,
  matrix: FeatureMatrix,
  rowIndices: ArrayLike<number>,
): IsolationExplanation {
  requireColumns(forest.columnNames, matrix)
  requireRowIndices(matrix, rowIndices)
  const rows = selectRows(matrix, rowIndices)
  requireFinite('isolation forest explain', rows)
  const contributions = new Float64Array(rows.values.length)
  const quadrature = gaussLegendre(Math.max(1, Math.ceil(forest.heightLimit / 2)))
  let expectedDepth = 0
  for (let tree = 0; tree < forest.treeCount; tree++) {
    const game = treeGame(forest, tree, quadrature)
    expectedDepth += game.expectedDepth / forest.treeCount
    addTreeAttributions(game, quadrature, rows, contributions)
  }
  const depths = new Float64Array(rows.rowCount)
  forestDepths(forest, rows.values, 0, rows.rowCount, depths)
  // From the sum of depths over trees to the mean, towards anomaly, in units of c(ψ).
  const depthUnit = averagePathLength(forest.sampleSize)
  const additivityError = largestGap(contributions, forest.treeCount, expectedDepth, depths)
  const scale = depthUnit > 0 ? -1 / (forest.treeCount * depthUnit) : 0
  for (let i = 0; i < contributions.length; i++) contributions[i] = contributions[i]! * scale + 0
  return { contributions, expectedDepth, depths, additivityError }
}

function largestGap(
  attributions: Float64Array,
  treeCount: number,
  expectedDepth: number,
  depths: Float64Array,
): number {
  const columnCount = depths.length === 0 ? 0 : attributions.length / depths.length
  let largest = 0
  for (let row = 0; row < depths.length; row++) {
    let sum = 0
    for (let c = 0; c < columnCount; c++) sum += attributions[row * columnCount + c]!
    const gap = Math.abs(sum / treeCount + expectedDepth - depths[row]!)
    if (!(gap <= ADDITIVITY_TOLERANCE)) {
      throw new AnomalyError(
        'ADDITIVITY_VIOLATED',
        `explanation of row ${row} misses its path length by ${gap}, allowed ${ADDITIVITY_TOLERANCE}; the forest's node counts are inconsistent`,
        { row, gap },
      )
    }
    if (gap > largest) largest = gap
  }
  return largest
}

/** Adds one tree's Shapley values of every row. Two flat passes per row: down, then up. */
function addTreeAttributions(
  game: TreeGame,
  quadrature: Quadrature,
  rows: FeatureMatrix,
  attributions: Float64Array,
): void {
  const pointCount = quadrature.points.length
  const columnCount = rows.columnNames.length
  const isPassed = new Uint8Array(game.edgeCount)
  const products = new Float64Array(game.edgeCount * pointCount)
  const failWeights = quadrature.points.map((t) => -1 / (1 - t))
  for (let row = 0; row < rows.rowCount; row++) {
    multiplyDown(game, quadrature, rows.values, row * columnCount, isPassed, products)
    const cells = row * columnCount
    attributeUp(game, pointCount, isPassed, products, failWeights, attributions, cells)
  }
}

/**
 * Path products from the root to each edge. At leaves the product is replaced by
 * value · weight · product, at inner edges by 0: what the upward pass sums.
 */
function multiplyDown(
  game: TreeGame,
  quadrature: Quadrature,
  values: Float64Array,
  cells: number,
  isPassed: Uint8Array,
  products: Float64Array,
): void {
  const { columns, thresholds, isRight, parents, previousSame, keptShares } = game
  const { passFactors, failFactors } = game
  const pointCount = quadrature.points.length
  for (let edge = 0; edge < game.edgeCount; edge++) {
    const previous = previousSame[edge]!
    const parentAt = parents[edge]! * pointCount
    const at = edge * pointCount
    const goesRight = Number(values[cells + columns[edge]!]! >= thresholds[edge]!)
    const wasPassed = previous < 0 || isPassed[previous] === 1
    const passes = wasPassed && goesRight === isRight[edge]
    isPassed[edge] = passes ? 1 : 0
    const factors = passes ? passFactors : failFactors
    const keptShare = keptShares[edge]!
    for (let point = 0; point < pointCount; point++) {
      const above = parentAt < 0 ? 1 : products[parentAt + point]!
      products[at + point] = above * (wasPassed ? factors[at + point]! : keptShare)
    }
  }
  const { leafValues } = game
  for (let edge = 0; edge < game.edgeCount; edge++) {
    const value = leafValues[edge]!
    for (let point = 0; point < pointCount; point++) {
      const at = edge * pointCount + point
      products[at] = products[at]! * value * quadrature.weights[point]!
    }
  }
}

/**
 * Sums leaves upward and gives each edge's column its share of the leaves below. A repeated
 * column has a new weight below its deeper edge: the earlier edge's weight is taken back there.
 */
function attributeUp(
  game: TreeGame,
  pointCount: number,
  isPassed: Uint8Array,
  sums: Float64Array,
  failWeights: Float64Array,
  attributions: Float64Array,
  cells: number,
): void {
  const { columns, parents, previousSame, passWeights } = game
  for (let edge = game.edgeCount - 1; edge >= 0; edge--) {
    const previous = previousSame[edge]!
    const at = edge * pointCount
    const previousAt = previous * pointCount
    const parentAt = parents[edge]! * pointCount
    const passes = isPassed[edge] === 1
    const previousPasses = previous >= 0 && isPassed[previous] === 1
    let attribution = 0
    for (let point = 0; point < pointCount; point++) {
      const sum = sums[at + point]!
      if (parentAt >= 0) sums[parentAt + point] = sums[parentAt + point]! + sum
      let weight = passes ? passWeights[at + point]! : failWeights[point]!
      if (previousPasses) weight -= passWeights[previousAt + point]!
      else if (previous >= 0) weight -= failWeights[point]!
      attribution += sum * weight
    }
    const cell = cells + columns[edge]!
    attributions[cell] = attributions[cell]! + attribution
  }
}
