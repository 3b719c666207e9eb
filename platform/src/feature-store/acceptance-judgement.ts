import {
  auroc,
  createRandom,
  fitIsolationForest,
  nextIndex,
  scoreIsolationForest,
} from '@isotherm/anomaly'

/** Rows as the acceptance sees them: nulls are NaN until they are imputed. */
export type AcceptanceRows = {
  readonly columnNames: readonly string[]
  readonly rowCount: number
  /** rowCount × columns, row-major. */
  readonly values: Float64Array
  /** True before a confirmed failure or anomaly; undefined where nobody said. */
  readonly isAnomalous: readonly (boolean | undefined)[]
  readonly cohorts: readonly string[]
  readonly windowStartMs: Float64Array
}

/** FEA-71: does shuffling the column change the ranking? */
export type PredictiveResult = {
  readonly spearman: number
  /** Share of the top 5 % that the shuffle replaces. */
  readonly replacedShare: number
  readonly passes: boolean
}

/** Gain in one part of the validation rows: how much the column adds to the area under ROC. */
export type PartGain = {
  readonly part: string
  readonly anomalousCount: number
  readonly gain: number
}

/** FEA-74; undecided without enough labelled anomalies. */
export type GeneralResult = {
  readonly gain: number | null
  readonly cohorts: readonly PartGain[]
  readonly later: PartGain | null
  readonly passes: boolean | null
}

const shuffleCount = 5
const topShare = 0.05
const minPartRows = 30

/** Medians of columns without NaN; 0 for a column of nothing else. */
export function columnMedians({ values, rowCount, columnNames }: AcceptanceRows): Float64Array {
  const width = columnNames.length
  return Float64Array.from(columnNames, (_, column) => {
    const own = Float64Array.from(
      { length: rowCount },
      (_cell, row) => values[row * width + column]!,
    )
      .filter((value) => !Number.isNaN(value))
      .sort()
    if (own.length === 0) return 0
    const middle = own.length >> 1
    return own.length % 2 === 1 ? own[middle]! : (own[middle - 1]! + own[middle]!) / 2
  })
}

function imputed(rows: AcceptanceRows, medians: Float64Array) {
  const values = rows.values.map((value, index) =>
    Number.isNaN(value) ? medians[index % medians.length]! : value,
  )
  return { values, rowCount: rows.rowCount, columnNames: rows.columnNames }
}

type Matrix = ReturnType<typeof imputed>

function shuffledColumn(matrix: Matrix, column: number, seed: number): Matrix {
  const width = matrix.columnNames.length
  const values = matrix.values.slice()
  const random = createRandom(seed)
  for (let row = matrix.rowCount - 1; row > 0; row--) {
    const other = nextIndex(random, row + 1)
    const kept = values[row * width + column]!
    values[row * width + column] = values[other * width + column]!
    values[other * width + column] = kept
  }
  return { ...matrix, values }
}

/** Ranks from 0, ties by position: equal inputs get equal ranks. */
function ranksOf(scores: Float64Array): Float64Array {
  const order = Uint32Array.from(scores, (_, index) => index).sort(
    (a, b) => scores[a]! - scores[b]! || a - b,
  )
  const ranks = new Float64Array(scores.length)
  for (let place = 0; place < order.length; place++) ranks[order[place]!] = place
  return ranks
}

/** Spearman correlation of two score vectors without averaging ties. */
export function rankCorrelation(a: Float64Array, b: Float64Array): number {
  const n = a.length
  if (n < 2) return 1
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)]
  let squares = 0
  for (let i = 0; i < n; i++) squares += (ranksA[i]! - ranksB[i]!) ** 2
  return 1 - (6 * squares) / (n * (n * n - 1))
}

function topRows(scores: Float64Array): ReadonlySet<number> {
  const ranks = ranksOf(scores)
  const count = Math.max(1, Math.round(scores.length * topShare))
  return new Set([...ranks.keys()].filter((row) => ranks[row]! >= scores.length - count))
}

/** Area under ROC of the rows that are judged; undefined without both kinds. */
function areaOf(scores: Float64Array, rows: AcceptanceRows, selected: readonly number[]) {
  // Rows nobody judged count as normal: most are, and the comparison is on the same rows.
  const labels = selected.map((row) => (rows.isAnomalous[row] === true ? 1 : 0))
  const anomalousCount = labels.filter((label) => label === 1).length
  if (anomalousCount === 0 || anomalousCount === labels.length) return undefined
  const own = Float64Array.from(selected, (row) => scores[row]!)
  return { area: auroc(labels, own), anomalousCount }
}

function gainOf(
  part: string,
  base: Float64Array,
  shuffles: readonly Float64Array[],
  rows: AcceptanceRows,
  selected: readonly number[],
): PartGain | undefined {
  if (selected.length < minPartRows) return undefined
  const whole = areaOf(base, rows, selected)
  if (whole === undefined) return undefined
  const without = shuffles.map((scores) => areaOf(scores, rows, selected)?.area ?? whole.area)
  const mean = without.reduce((sum, area) => sum + area, 0) / without.length
  return { part, anomalousCount: whole.anomalousCount, gain: whole.area - mean }
}

/**
 * Judges a column by an Isolation Forest fitted on training rows: its shuffle on validation rows
 * must change the ranking (FEA-71), and what it adds must keep its sign in 80 % of the cohorts and
 * in the later half (FEA-74).
 */
export function judgeColumn(
  feature: string,
  training: AcceptanceRows,
  validation: AcceptanceRows,
  seed: number,
): { readonly predictive: PredictiveResult; readonly general: GeneralResult } {
  const medians = columnMedians(training)
  const forest = fitIsolationForest(imputed(training, medians), { seed, treeCount: 100 })
  const matrix = imputed(validation, medians)
  const column = validation.columnNames.indexOf(feature)
  const base = scoreIsolationForest(forest, matrix)
  const shuffles = Array.from({ length: shuffleCount }, (_, index) =>
    scoreIsolationForest(forest, shuffledColumn(matrix, column, seed + 1 + index)),
  )
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  const top = topRows(base)
  const spearman = mean(shuffles.map((scores) => rankCorrelation(base, scores)))
  const replacedShare = mean(
    shuffles.map(
      (scores) => 1 - [...topRows(scores)].filter((row) => top.has(row)).length / top.size,
    ),
  )
  const predictive = {
    spearman,
    replacedShare,
    passes: spearman < 0.999 || replacedShare > 0.01,
  }
  const all = Array.from({ length: validation.rowCount }, (_, row) => row)
  const whole = gainOf('all', base, shuffles, validation, all)
  const cohorts = [...new Set(validation.cohorts)].toSorted().flatMap((cohort) => {
    const own = all.filter((row) => validation.cohorts[row] === cohort)
    return gainOf(cohort, base, shuffles, validation, own) ?? []
  })
  const times = validation.windowStartMs
  const middleMs =
    times.length === 0
      ? 0
      : (times.reduce((a, b) => Math.min(a, b)) + times.reduce((a, b) => Math.max(a, b))) / 2
  const later = gainOf(
    'later half',
    base,
    shuffles,
    validation,
    all.filter((row) => times[row]! >= middleMs),
  )
  const gain = whole?.gain ?? null
  return {
    predictive,
    general: { gain, cohorts, later: later ?? null, passes: keepsSign(gain, cohorts, later) },
  }
}

function keepsSign(
  gain: number | null,
  cohorts: readonly PartGain[],
  later: PartGain | undefined,
): boolean | null {
  if (gain === null || cohorts.length === 0 || later === undefined) return null
  const same = cohorts.filter((part) => Math.sign(part.gain) === Math.sign(gain)).length
  return gain > 0 && later.gain > 0 && same / cohorts.length >= 0.8
}
