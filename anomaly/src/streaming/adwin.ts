import { AnomalyError, invalidOption } from '../errors.ts'

/** Options of the adaptive window; names in brackets are River's. */
export type AdwinOptions = {
  /** Bound on the chance of a false change at each check, default 0.002 [`delta`]. */
  readonly confidence?: number
  /** Values between two checks, default 32 [`clock`]. */
  readonly checkEvery?: number
  /** Buckets of one size before two are merged, default 5 [`max_buckets`]. */
  readonly maxBuckets?: number
  /** Shortest part that is compared, default 5 [`min_window_length`]. */
  readonly minPartLength?: number
  /** No check before the window is longer than this, default 10 [`grace_period`]. */
  readonly gracePeriod?: number
  /**
   * What the next value finds after a change: the recent part (`keep`, as published) or an empty
   * window (`restart`, as River). Default `keep`.
   */
  readonly afterChange?: 'keep' | 'restart'
}

/** One exponential histogram row: up to `maxBuckets + 1` buckets of 2^row values, oldest first. */
type BucketRow = { readonly sums: number[]; readonly squares: number[] }

/** A window of the newest values, as long as their mean does not change. Plain data. */
export type Adwin = {
  readonly kind: 'adwin'
  readonly options: Required<AdwinOptions>
  readonly rows: BucketRow[]
  /** Values in the window, their sum, and their summed squared deviations from the mean. */
  width: number
  sum: number
  squares: number
  valueCount: number
  changeCount: number
  isChanged: boolean
}

/**
 * An empty adaptive window.
 * @throws INVALID_OPTION
 */
export function emptyAdwin(options: AdwinOptions = {}): Adwin {
  const { confidence = 0.002, checkEvery = 32, maxBuckets = 5, minPartLength = 5 } = options
  const { gracePeriod = 10, afterChange = 'keep' } = options
  if (!(confidence > 0 && confidence < 1)) {
    throw invalidOption('confidence', 'in (0, 1)', confidence)
  }
  for (const [name, value] of Object.entries({ checkEvery, maxBuckets, minPartLength })) {
    if (!(Number.isInteger(value) && value >= 1)) throw invalidOption(name, 'an integer ≥ 1', value)
  }
  if (!(gracePeriod >= 0)) throw invalidOption('gracePeriod', '≥ 0', gracePeriod)
  return {
    kind: 'adwin',
    options: { confidence, checkEvery, maxBuckets, minPartLength, gracePeriod, afterChange },
    rows: [{ sums: [], squares: [] }],
    width: 0,
    sum: 0,
    squares: 0,
    valueCount: 0,
    changeCount: 0,
    isChanged: false,
  }
}

/**
 * Adds a value; drops old ones while the mean of the older part differs from that of the newer.
 * @returns true if the mean has changed
 * @throws NOT_FINITE
 * Cost O(1) amortised, O(log² width) at a check; memory O(log width).
 * Source: Bifet & Gavaldà 2007 (ADWIN2, with the variance bound of its section 3).
 */
export function updateAdwin(window: Adwin, value: number): boolean {
  if (!Number.isFinite(value)) {
    throw new AnomalyError('NOT_FINITE', `adwin: value is ${value}, expected a finite number`, {
      found: value,
    })
  }
  if (window.isChanged && window.options.afterChange === 'restart') restart(window)
  insert(window, value)
  mergeFullRows(window)
  window.valueCount += 1
  const { checkEvery, gracePeriod } = window.options
  window.isChanged = false
  if (window.valueCount % checkEvery === 0 && window.width > gracePeriod) {
    while (hasCut(window)) {
      dropOldest(window)
      window.isChanged = true
    }
  }
  if (window.isChanged) window.changeCount += 1
  return window.isChanged
}

/** Length, mean and population variance of the window; NaN mean of an empty one. */
export function finishAdwin({ width, sum, squares }: Adwin): {
  readonly width: number
  readonly mean: number
  readonly variance: number
} {
  return { width, mean: sum / width, variance: width > 0 ? Math.max(0, squares) / width : 0 }
}

function restart(window: Adwin): void {
  window.rows.splice(0, window.rows.length, { sums: [], squares: [] })
  window.width = 0
  window.sum = 0
  window.squares = 0
  window.valueCount = 0
}

function insert(window: Adwin, value: number): void {
  const row = window.rows[0]!
  row.sums.push(value)
  row.squares.push(0)
  const before = window.width
  window.width += 1
  if (before > 0) {
    window.squares += (before * (value - window.sum / before) ** 2) / window.width
  }
  window.sum += value
}

/** Two oldest buckets of an overfull row become one of the next. */
function mergeFullRows({ rows, options }: Adwin): void {
  for (let level = 0; level < rows.length; level++) {
    const row = rows[level]!
    if (row.sums.length <= options.maxBuckets) return
    if (level + 1 === rows.length) rows.push({ sums: [], squares: [] })
    const next = rows[level + 1]!
    const size = 2 ** level
    const gap = (row.sums[0]! - row.sums[1]!) / size
    next.sums.push(row.sums[0]! + row.sums[1]!)
    next.squares.push(row.squares[0]! + row.squares[1]! + (size * gap * gap) / 2)
    row.sums.splice(0, 2)
    row.squares.splice(0, 2)
  }
}

function dropOldest(window: Adwin): void {
  const level = window.rows.length - 1
  const row = window.rows[level]!
  const size = 2 ** level
  const sum = row.sums.shift()!
  const squares = row.squares.shift()!
  window.width -= size
  window.sum -= sum
  const gap = sum / size - window.sum / window.width
  window.squares -= squares + (size * window.width * gap * gap) / (size + window.width)
  if (row.sums.length === 0 && level > 0) window.rows.pop()
}

/** True if some split of the window has parts of different means. */
function hasCut({ rows, width, sum, squares, options }: Adwin): boolean {
  const logTerm = Math.log((2 * Math.log(width)) / options.confidence)
  let olderCount = 0
  let olderSum = 0
  for (let level = rows.length - 1; level >= 0; level--) {
    for (const bucket of rows[level]!.sums) {
      olderCount += 2 ** level
      olderSum += bucket
      const newerCount = width - olderCount
      if (newerCount < options.minPartLength) return false
      if (olderCount < options.minPartLength) continue
      const share =
        1 / (olderCount - options.minPartLength + 1) + 1 / (newerCount - options.minPartLength + 1)
      const bound = Math.sqrt(2 * share * (squares / width) * logTerm) + (2 / 3) * logTerm * share
      const gap = olderSum / olderCount - (sum - olderSum) / newerCount
      if (Math.abs(gap) > bound) return true
    }
  }
  return false
}
