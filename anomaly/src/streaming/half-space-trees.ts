import { invalidOption, notFinite, shapeMismatch } from '../errors.ts'
import { createRandom, nextIndex, nextOpenUnit } from '../statistics/random.ts'

/** Share of a column's range that a split keeps away from both ends, as River. */
const PADDING = 0.15
/** A node with less than this share of a window is not followed further: Tan et al. 2011. */
const SIZE_LIMIT_SHARE = 0.1

/** Options of half-space trees; defaults are River's but for the number of trees. */
export type HalfSpaceOptions = {
  /** Default 25, as published. */
  readonly treeCount?: number
  /** Splits from root to leaf, default 8; at most 15. */
  readonly height?: number
  /** Rows per reference window, default 250. */
  readonly windowRows?: number
  /** Lower and upper bound of each column, by name; needed, since the first row splits all. */
  readonly ranges: Readonly<Record<string, readonly [low: number, high: number]>>
  /** Default 42. */
  readonly seed?: number
}

/** Half-space trees with the masses of the last full and of the running window. Plain data. */
export type HalfSpaceTrees = {
  readonly kind: 'half_space_trees'
  readonly stateVersion: 1
  readonly columnNames: readonly string[]
  readonly treeCount: number
  readonly height: number
  readonly windowRows: number
  readonly seed: number
  /** Split of each inner node: trees × (2^height − 1), heap order. */
  readonly splitColumns: Uint16Array
  readonly splitThresholds: Float64Array
  /** Rows through each node in the last full window: trees × (2^(height + 1) − 1). */
  readonly referenceMasses: Uint32Array
  readonly runningMasses: Uint32Array
  rowCount: number
}

/**
 * Random trees over the given ranges, before any row.
 * @throws INVALID_OPTION
 * Source: Tan, Ting & Liu 2011; splits as River: a uniform column, a uniform place in the middle
 * 70 % of the node's range.
 */
export function emptyHalfSpaceTrees(options: HalfSpaceOptions): HalfSpaceTrees {
  const { treeCount = 25, height = 8, windowRows = 250, ranges, seed = 42 } = options
  for (const [name, value] of Object.entries({ treeCount, height, windowRows })) {
    if (!(Number.isInteger(value) && value >= 1)) throw invalidOption(name, 'an integer ≥ 1', value)
  }
  if (height > 15) throw invalidOption('height', 'at most 15', height)
  const columnNames = Object.keys(ranges)
  if (columnNames.length === 0) throw invalidOption('ranges', 'at least one column', 'none')
  for (const [name, [low, high]] of Object.entries(ranges)) {
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) {
      throw invalidOption(`ranges.${name}`, 'finite, low < high', `[${low}, ${high}]`)
    }
  }
  const splitCount = 2 ** height - 1
  const trees: HalfSpaceTrees = {
    kind: 'half_space_trees',
    stateVersion: 1,
    columnNames,
    treeCount,
    height,
    windowRows,
    seed,
    splitColumns: new Uint16Array(treeCount * splitCount),
    splitThresholds: new Float64Array(treeCount * splitCount),
    referenceMasses: new Uint32Array(treeCount * (2 * splitCount + 1)),
    runningMasses: new Uint32Array(treeCount * (2 * splitCount + 1)),
    rowCount: 0,
  }
  const bounds = Object.values(ranges)
  for (let tree = 0; tree < treeCount; tree++) growTree(trees, tree, bounds)
  return trees
}

/**
 * Score of one row in [0, 1] by the last full window: 1 where no row of it was near. 0 before the
 * first window is full.
 * @param row one finite value per column, in the order of `columnNames`
 * @throws SHAPE_MISMATCH, NOT_FINITE
 * Cost O(trees · height).
 */
export function scoreHalfSpaceRow(trees: HalfSpaceTrees, row: ArrayLike<number>): number {
  requireRow(trees, row)
  const { treeCount, height, windowRows, referenceMasses, rowCount } = trees
  if (rowCount < windowRows) return 0
  const nodeCount = 2 ** (height + 1) - 1
  const limit = SIZE_LIMIT_SHARE * windowRows
  let sum = 0
  for (let tree = 0; tree < treeCount; tree++) {
    let node = 0
    for (let depth = 0; depth <= height; depth++) {
      const mass = referenceMasses[tree * nodeCount + node]!
      sum += mass * 2 ** depth
      if (mass < limit || depth === height) break
      node = childOf(trees, tree, node, row)
    }
  }
  return 1 - sum / (treeCount * windowRows * nodeCount)
}

/**
 * Learns one row; a full window becomes the reference of the next.
 * @throws SHAPE_MISMATCH, NOT_FINITE
 * Cost O(trees · height), and O(nodes) once per window.
 */
export function updateHalfSpaceTrees(trees: HalfSpaceTrees, row: ArrayLike<number>): void {
  requireRow(trees, row)
  const { treeCount, height, windowRows, referenceMasses, runningMasses } = trees
  const nodeCount = 2 ** (height + 1) - 1
  for (let tree = 0; tree < treeCount; tree++) {
    let node = 0
    for (let depth = 0; depth <= height; depth++) {
      const at = tree * nodeCount + node
      runningMasses[at] = runningMasses[at]! + 1
      if (depth < height) node = childOf(trees, tree, node, row)
    }
  }
  trees.rowCount += 1
  if (trees.rowCount % windowRows === 0) {
    referenceMasses.set(runningMasses)
    runningMasses.fill(0)
  }
}

function childOf(
  { height, splitColumns, splitThresholds }: HalfSpaceTrees,
  tree: number,
  node: number,
  row: ArrayLike<number>,
): number {
  const at = tree * (2 ** height - 1) + node
  return row[splitColumns[at]!]! < splitThresholds[at]! ? 2 * node + 1 : 2 * node + 2
}

function growTree(
  { height, seed, splitColumns, splitThresholds }: HalfSpaceTrees,
  tree: number,
  bounds: readonly (readonly [number, number])[],
): void {
  const random = createRandom(seed, tree)
  const splitCount = 2 ** height - 1
  const lows = bounds.map(([low]) => low)
  const highs = bounds.map(([, high]) => high)
  const grow = (node: number): void => {
    if (node >= splitCount) return
    const column = nextIndex(random, bounds.length)
    const low = lows[column]!
    const high = highs[column]!
    const share = PADDING + (1 - 2 * PADDING) * nextOpenUnit(random)
    const threshold = low + share * (high - low)
    splitColumns[tree * splitCount + node] = column
    splitThresholds[tree * splitCount + node] = threshold
    highs[column] = threshold
    grow(2 * node + 1)
    highs[column] = high
    lows[column] = threshold
    grow(2 * node + 2)
    lows[column] = low
  }
  grow(0)
}

function requireRow({ columnNames }: HalfSpaceTrees, row: ArrayLike<number>): void {
  if (row.length !== columnNames.length) {
    throw shapeMismatch('row.length', columnNames.length, row.length)
  }
  for (let c = 0; c < row.length; c++) {
    if (!Number.isFinite(row[c]!)) {
      throw notFinite('half-space trees', 0, columnNames[c] ?? '', row[c]!)
    }
  }
}
