import { invalidOption, shapeMismatch } from '../errors.ts'
import { createRandom, nextIndex, type Random } from '../statistics/random.ts'
import { type RowSplit, requireFoldCount, splitsOfFolds } from './row-split.ts'

/** Options of splits into folds. */
export type FoldOptions = {
  /** Default 5. Every row is tested in exactly one fold. */
  readonly foldCount?: number
  /** Seed of the shuffle, default 42. */
  readonly seed?: number
}

/**
 * Folds with the same share of every class, for rows that are independent of each other. Rows of a
 * device seldom are: see `stratifiedGroupFolds`.
 * @param labels class of each row, any integers ≥ 0
 * @throws INVALID_OPTION
 * Cost O(rows · folds).
 */
export function stratifiedFolds(labels: ArrayLike<number>, options: FoldOptions = {}): RowSplit[] {
  const { foldCount = 5, seed = 42 } = options
  requireFoldCount(foldCount, labels.length, 'rows')
  const rowsOfClass = new Map<number, number[]>()
  for (let row = 0; row < labels.length; row++) {
    const label = requireIndex('labels', labels, row)
    const rows = rowsOfClass.get(label)
    if (rows === undefined) rowsOfClass.set(label, [row])
    else rows.push(row)
  }
  const random = createRandom(seed)
  const foldOfRow = new Uint32Array(labels.length)
  // Classes go on dealing where the one before stopped, so that folds differ by one row at most.
  let dealt = 0
  for (const label of [...rowsOfClass.keys()].sort((a, b) => a - b)) {
    for (const row of shuffled(random, rowsOfClass.get(label) ?? [])) {
      foldOfRow[row] = dealt % foldCount
      dealt++
    }
  }
  return splitsOfFolds(foldOfRow, foldCount)
}

/**
 * Folds that keep every group (device) whole, of about equal row counts: the largest group goes to
 * the lightest fold.
 * @param groupOfRow group of each row, any integers ≥ 0
 * @throws INVALID_OPTION, also for fewer groups than folds
 * Cost O(rows · folds + groups log groups). Source: scikit-learn's GroupKFold.
 */
export function groupFolds(groupOfRow: ArrayLike<number>, options: FoldOptions = {}): RowSplit[] {
  return stratifiedGroupFolds(new Uint8Array(groupOfRow.length), groupOfRow, options)
}

/**
 * Folds that keep every group whole and the share of every class as equal as whole groups allow.
 * @throws INVALID_OPTION, also for fewer groups than folds; SHAPE_MISMATCH
 * Cost O(rows · folds + groups · folds · classes).
 * Source: the greedy deal of scikit-learn's StratifiedGroupKFold: groups with the most unequal
 * class counts first, each to the fold where the classes' shares then spread least.
 */
export function stratifiedGroupFolds(
  labels: ArrayLike<number>,
  groupOfRow: ArrayLike<number>,
  options: FoldOptions = {},
): RowSplit[] {
  const { foldCount = 5, seed = 42 } = options
  if (labels.length !== groupOfRow.length) {
    throw shapeMismatch('labels.length', groupOfRow.length, labels.length)
  }
  const groups = classCounts(labels, groupOfRow)
  requireFoldCount(foldCount, groups.length, 'groups')
  const deal = shuffled(createRandom(seed), groups).sort(
    (a, b) => spread(b.counts) - spread(a.counts) || total(b.counts) - total(a.counts),
  )
  const totals = groups.reduce(
    (sums, { counts }) => sums.map((sum, k) => sum + counts[k]!),
    groups[0]?.counts.map(() => 0) ?? [],
  )
  const folds = Array.from({ length: foldCount }, () => totals.map(() => 0))
  const foldOfGroup = new Map<number, number>()
  for (const { group, counts } of deal) {
    const fold = bestFold(folds, counts, totals)
    folds[fold] = folds[fold]!.map((sum, k) => sum + counts[k]!)
    foldOfGroup.set(group, fold)
  }
  const foldOfRow = Uint32Array.from(groupOfRow, (group) => foldOfGroup.get(group)!)
  return splitsOfFolds(foldOfRow, foldCount)
}

type GroupCounts = { readonly group: number; readonly counts: readonly number[] }

function classCounts(labels: ArrayLike<number>, groupOfRow: ArrayLike<number>): GroupCounts[] {
  const classes = new Map<number, number>()
  const countsOfGroup = new Map<number, Map<number, number>>()
  for (let row = 0; row < labels.length; row++) {
    const label = requireIndex('labels', labels, row)
    const group = requireIndex('groupOfRow', groupOfRow, row)
    if (!classes.has(label)) classes.set(label, classes.size)
    const counts = countsOfGroup.get(group) ?? new Map<number, number>()
    counts.set(label, (counts.get(label) ?? 0) + 1)
    countsOfGroup.set(group, counts)
  }
  return [...countsOfGroup].map(([group, counts]) => ({
    group,
    counts: [...classes.keys()].map((label) => counts.get(label) ?? 0),
  }))
}

/** Fold in which the classes' shares over all folds spread least; ties to the lighter fold. */
function bestFold(
  folds: readonly (readonly number[])[],
  counts: readonly number[],
  totals: readonly number[],
): number {
  let best = 0
  let bestSpread = Number.POSITIVE_INFINITY
  for (const [fold, sums] of folds.entries()) {
    let found = 0
    for (const [k, classTotal] of totals.entries()) {
      const shares = folds.map(
        (other, i) => (other[k]! + (i === fold ? counts[k]! : 0)) / classTotal,
      )
      found += spread(shares) / totals.length
    }
    // Rounding must not decide between equal folds.
    const isBetter = found < bestSpread - 1e-12
    const isTie = Math.abs(found - bestSpread) <= 1e-12 && total(sums) < total(folds[best]!)
    if (isBetter || isTie) {
      best = fold
      bestSpread = found
    }
  }
  return best
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Standard deviation. */
function spread(values: readonly number[]): number {
  const mean = total(values) / values.length
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const order = [...items]
  for (let i = order.length - 1; i > 0; i--) {
    const other = nextIndex(random, i + 1)
    const item = order[i]!
    order[i] = order[other]!
    order[other] = item
  }
  return order
}

function requireIndex(name: string, values: ArrayLike<number>, row: number): number {
  const value = values[row]!
  if (!(Number.isInteger(value) && value >= 0)) {
    throw invalidOption(`${name}[${row}]`, 'an integer ≥ 0', value)
  }
  return value
}
