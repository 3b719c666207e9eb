import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import {
  type RowWeighting,
  requireTarget,
  type SupervisedTarget,
} from '../validation/supervised-target.ts'
import type { BoostingMetric } from './boosting-metric.ts'
import { MAX_BINS } from './column-edges.ts'
import { MAX_WORDS } from './growth-board.ts'
import { COLUMNS_PER_WORD, histogramLength } from './growth-memory.ts'

/**
 * Hyper-parameters of boosted trees. The defaults are those that the histogram boosters share
 * (100 rounds, rate 0.1, 31 leaves, 255 bins, 20 rows per leaf as LightGBM and scikit-learn; λ = 1
 * as XGBoost, since unshrunk leaves of few rows make probabilities too sure).
 */
export type BoostingOptions = RowWeighting & {
  /** Rounds: trees per output, default 100. */
  readonly roundCount?: number
  /** Factor on every leaf value, in (0, 1], default 0.1. */
  readonly learningRate?: number
  /** Leaves per tree, default 31. The leaf that saves most is split next. */
  readonly maxLeaves?: number
  /** Splits between root and leaf, default no limit. */
  readonly maxDepth?: number
  /** Training rows per leaf, default 20. */
  readonly minLeafRows?: number
  /** Sum of hessians per leaf, default 0.001. */
  readonly minChildWeight?: number
  /** λ: L2 penalty on leaf values, default 1. */
  readonly l2?: number
  /** γ: least gain of a split, as in XGBoost (G²/(H + λ) without the factor ½), default 0. */
  readonly gamma?: number
  /** Share of rows that each tree sees, drawn without replacement, in (0, 1], default 1. */
  readonly rowShare?: number
  /** Share of columns that each tree may split, at least one column, in (0, 1], default 1. */
  readonly columnShare?: number
  /** Value bins per column, in [2, 255], default 255; missing cells have a bin of their own. */
  readonly maxBins?: number
  /**
   * 1: the prediction may only rise with the column, −1: only fall. Missing cells are not bound.
   * Not for `classes`, whose margins have no order. Default none.
   */
  readonly monotone?: Readonly<Record<string, -1 | 0 | 1>>
  /** Rows on which rounds are judged; training stops when they bring nothing. Default none. */
  readonly validation?: BoostingValidation
  /** Seed of row and column draws and of the sample that bins are chosen from, default 42. */
  readonly seed?: number
  /** Threads that share the work, default 1; changes no byte of the result. */
  readonly threadCount?: number
}

/** Early stopping on rows that no tree is grown from. */
export type BoostingValidation = RowWeighting & {
  readonly matrix: FeatureMatrix
  readonly target: SupervisedTarget
  /**
   * Default `'log loss'` for labels, `'squared error'` for regression. `'average precision'` and
   * `'auroc'` are for binary labels and ignore weights.
   */
  readonly metric?: BoostingMetric
  /** Rounds without a better value before training stops, default 20. The best round is kept. */
  readonly patience?: number
}

/** Options with their defaults, checked. */
export type CompleteOptions = Required<Omit<BoostingOptions, 'validation' | keyof RowWeighting>>

/** Histograms of all leaves may take this much memory. */
const MAX_HISTOGRAM_BYTES = 2 ** 31

/** Rows above this would make the grid of `FixedPoint` coarse. */
const MAX_ROWS = 2 ** 26

/**
 * Fills in defaults and refuses what is out of range.
 * @throws INVALID_OPTION
 */
export function completeBoostingOptions(
  matrix: FeatureMatrix,
  target: SupervisedTarget,
  options: BoostingOptions,
): CompleteOptions {
  const complete: CompleteOptions = {
    roundCount: options.roundCount ?? 100,
    learningRate: options.learningRate ?? 0.1,
    maxLeaves: options.maxLeaves ?? 31,
    maxDepth: options.maxDepth ?? Number.POSITIVE_INFINITY,
    minLeafRows: options.minLeafRows ?? 20,
    minChildWeight: options.minChildWeight ?? 0.001,
    l2: options.l2 ?? 1,
    gamma: options.gamma ?? 0,
    rowShare: options.rowShare ?? 1,
    columnShare: options.columnShare ?? 1,
    maxBins: options.maxBins ?? MAX_BINS,
    monotone: options.monotone ?? {},
    seed: options.seed ?? 42,
    threadCount: options.threadCount ?? 1,
  }
  requireInteger('roundCount', complete.roundCount, 1, 100_000)
  requireInteger('maxLeaves', complete.maxLeaves, 2, 65_536)
  requireInteger('minLeafRows', complete.minLeafRows, 1, MAX_ROWS)
  requireInteger('maxBins', complete.maxBins, 2, MAX_BINS)
  requireInteger('threadCount', complete.threadCount, 1, 256)
  if (options.maxDepth !== undefined) requireInteger('maxDepth', options.maxDepth, 1, 65_536)
  for (const name of ['learningRate', 'rowShare', 'columnShare'] as const) {
    if (!(complete[name] > 0 && complete[name] <= 1)) {
      throw invalidOption(name, 'in (0, 1]', complete[name])
    }
  }
  for (const name of ['minChildWeight', 'l2', 'gamma'] as const) {
    if (!(complete[name] >= 0 && complete[name] < Number.POSITIVE_INFINITY)) {
      throw invalidOption(name, 'a finite number ≥ 0', complete[name])
    }
  }
  requireSizes(matrix, complete)
  requireMonotone(matrix, target, complete.monotone)
  if (options.validation !== undefined) requireValidation(target, options.validation)
  return complete
}

function requireSizes(matrix: FeatureMatrix, { maxLeaves, maxBins }: CompleteOptions): void {
  const columnCount = matrix.columnNames.length
  if (matrix.rowCount > MAX_ROWS) {
    throw invalidOption('matrix.rowCount', `at most ${MAX_ROWS}`, matrix.rowCount)
  }
  if (columnCount > MAX_WORDS * COLUMNS_PER_WORD) {
    throw invalidOption('columns', `at most ${MAX_WORDS * COLUMNS_PER_WORD}`, columnCount)
  }
  const bytes = maxLeaves * histogramLength(columnCount, maxBins) * Float64Array.BYTES_PER_ELEMENT
  if (bytes > MAX_HISTOGRAM_BYTES) {
    const expected = `few enough that leaves × columns × bins stay below 2 GiB; lower maxBins too`
    throw invalidOption('maxLeaves', expected, maxLeaves)
  }
}

function requireMonotone(
  matrix: FeatureMatrix,
  target: SupervisedTarget,
  monotone: CompleteOptions['monotone'],
): void {
  for (const [name, direction] of Object.entries(monotone)) {
    if (!matrix.columnNames.includes(name)) {
      throw invalidOption('monotone', `names of columns (${matrix.columnNames.join(', ')})`, name)
    }
    if (direction !== 0 && direction !== 1 && direction !== -1) {
      throw invalidOption(`monotone.${name}`, '−1, 0 or 1', direction)
    }
    if (direction !== 0 && target.kind === 'classes') {
      throw invalidOption(`monotone.${name}`, 'absent for a target of classes', direction)
    }
  }
}

function requireValidation(target: SupervisedTarget, validation: BoostingValidation): void {
  const { patience = 20 } = validation
  requireInteger('validation.patience', patience, 1, 100_000)
  requireTarget(validation.target, validation.matrix.rowCount)
  const isSameKind =
    validation.target.kind === target.kind &&
    !(
      target.kind === 'classes' &&
      validation.target.kind === 'classes' &&
      validation.target.classCount !== target.classCount
    )
  if (!isSameKind) {
    throw invalidOption(
      'validation.target',
      `of the training kind ${target.kind}`,
      validation.target.kind,
    )
  }
  const metrics: Record<SupervisedTarget['kind'], readonly BoostingMetric[]> = {
    binary: ['log loss', 'average precision', 'auroc'],
    classes: ['log loss'],
    regression: ['squared error'],
  }
  const { metric } = validation
  if (metric !== undefined && !metrics[target.kind].includes(metric)) {
    throw invalidOption('validation.metric', `one of ${metrics[target.kind].join(', ')}`, metric)
  }
}

function requireInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!(Number.isInteger(value) && value >= minimum && value <= maximum)) {
    throw invalidOption(name, `an integer in [${minimum}, ${maximum}]`, value)
  }
}
