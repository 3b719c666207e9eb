/** Bounds must differ by more than rounding before a distance is taken for known. */
const BOUND_SLACK = 1 - 1e-9

/** Centres, and what they make of the points. */
export type Partition = {
  readonly clusterCount: number
  /** clusterCount × columns, row-major. */
  readonly centres: Float64Array
  /** Nearest centre of each point; the lowest-numbered of equally near ones. */
  readonly labels: Uint32Array
  /** Sum of squared distances to the nearest centre. */
  readonly inertia: number
  readonly iterationCount: number
}

/** When to stop moving centres. */
export type LloydLimits = {
  readonly maxIterations: number
  /** Stop once the squared moves of all centres sum to no more than this. */
  readonly squaredShift: number
}

type Search = {
  readonly points: Float64Array
  readonly columnCount: number
  readonly clusterCount: number
  readonly centres: Float64Array
  readonly sums: Float64Array
  readonly sizes: Uint32Array
  readonly labels: Uint32Array
  /** Distance to the own centre, at most. */
  readonly upper: Float64Array
  /** Distance to the second-nearest centre, at least. */
  readonly lower: Float64Array
  /** How far each centre moved. */
  readonly shifts: Float64Array
  /** Half the distance from each centre to the nearest other. */
  readonly halfGaps: Float64Array
}

/**
 * Lloyd's iterations from given centres until no label changes. Distances whose answer follows
 * from how far centres moved are not computed (Hamerly 2010), which changes the time and nothing
 * else: every label is the one plain Lloyd would give.
 * @param start clusterCount × columns, not changed
 * Cost O(points · clusters · columns) for the first round, usually a fraction for later ones.
 * Empty clusters restart at the points farthest from their centres, and the stopping rule is that
 * of scikit-learn's KMeans, so that equal starts give equal inertia.
 */
export function runLloyd(
  points: Float64Array,
  columnCount: number,
  start: Float64Array,
  limits: LloydLimits,
): Partition {
  const pointCount = points.length / columnCount
  const clusterCount = start.length / columnCount
  const search: Search = {
    points,
    columnCount,
    clusterCount,
    centres: start.slice(),
    sums: new Float64Array(start.length),
    sizes: new Uint32Array(clusterCount),
    labels: new Uint32Array(pointCount),
    upper: new Float64Array(pointCount).fill(Number.POSITIVE_INFINITY),
    lower: new Float64Array(pointCount),
    shifts: new Float64Array(clusterCount),
    halfGaps: new Float64Array(clusterCount),
  }
  let iterationCount = 0
  let isSettled = false
  while (iterationCount < limits.maxIterations && !isSettled) {
    iterationCount++
    const changed = assignPoints(search)
    moveCentres(search)
    if (changed === 0 && iterationCount > 1) break
    isSettled = squaredLength(search.shifts) <= limits.squaredShift
  }
  assignPoints(search)
  const { centres, labels } = search
  return { clusterCount, centres, labels, inertia: inertiaOf(search), iterationCount }
}

/** Gives each point its nearest centre; returns how many changed. */
function assignPoints(search: Search): number {
  const { points, columnCount, labels, upper, lower, shifts, halfGaps, centres } = search
  fillHalfGaps(search)
  let largestShift = 0
  for (let c = 0; c < shifts.length; c++) largestShift = Math.max(largestShift, shifts[c]!)
  let changed = 0
  for (let point = 0; point < labels.length; point++) {
    const own = labels[point]!
    upper[point] = upper[point]! + shifts[own]!
    lower[point] = lower[point]! - largestShift
    const known = Math.max(lower[point]!, halfGaps[own]!) * BOUND_SLACK
    if (upper[point]! < known) continue
    upper[point] = Math.sqrt(
      squaredGap(points, point * columnCount, centres, own * columnCount, columnCount),
    )
    if (upper[point]! < known) continue
    changed += Number(assignPoint(search, point) !== own)
  }
  return changed
}

/** Compares a point with every centre; returns the nearest. */
function assignPoint(search: Search, point: number): number {
  const { points, columnCount, clusterCount, centres, labels, upper, lower } = search
  let nearest = 0
  let smallest = Number.POSITIVE_INFINITY
  let second = Number.POSITIVE_INFINITY
  for (let c = 0; c < clusterCount; c++) {
    const square = squaredGap(points, point * columnCount, centres, c * columnCount, columnCount)
    if (square < smallest) {
      second = smallest
      smallest = square
      nearest = c
    } else if (square < second) {
      second = square
    }
  }
  labels[point] = nearest
  upper[point] = Math.sqrt(smallest)
  lower[point] = Math.sqrt(second)
  return nearest
}

/** Puts centres at the means of their points and notes how far each moved. */
function moveCentres(search: Search): void {
  const { points, columnCount, clusterCount, centres, sums, sizes, labels, shifts } = search
  sums.fill(0)
  sizes.fill(0)
  for (let point = 0; point < labels.length; point++) {
    const cluster = labels[point]!
    sizes[cluster] = sizes[cluster]! + 1
    const from = point * columnCount
    const to = cluster * columnCount
    for (let d = 0; d < columnCount; d++) sums[to + d] = sums[to + d]! + points[from + d]!
  }
  if (sizes.includes(0)) relocateEmpty(search)
  for (let c = 0; c < clusterCount; c++) {
    const at = c * columnCount
    let square = 0
    // A cluster that stays empty keeps its centre.
    for (let d = at; d < at + columnCount && sizes[c]! > 0; d++) {
      const mean = sums[d]! / sizes[c]!
      square += (mean - centres[d]!) * (mean - centres[d]!)
      centres[d] = mean
    }
    shifts[c] = Math.sqrt(square)
  }
}

/** Gives each empty cluster one of the points farthest from their centres. */
function relocateEmpty(search: Search): void {
  const { points, columnCount, centres, sums, sizes, labels } = search
  const squares = new Float64Array(labels.length)
  for (let point = 0; point < labels.length; point++) {
    const centre = labels[point]! * columnCount
    squares[point] = squaredGap(points, point * columnCount, centres, centre, columnCount)
  }
  const order = Array.from(labels.keys()).sort((a, b) => squares[b]! - squares[a]! || a - b)
  let next = 0
  for (let cluster = 0; cluster < sizes.length; cluster++) {
    const point = order[next]
    if (sizes[cluster] !== 0 || point === undefined || squares[point] === 0) continue
    next++
    const former = labels[point]!
    sizes[former] = sizes[former]! - 1
    sizes[cluster] = 1
    for (let d = 0; d < columnCount; d++) {
      const value = points[point * columnCount + d]!
      sums[former * columnCount + d] = sums[former * columnCount + d]! - value
      sums[cluster * columnCount + d] = value
    }
  }
}

function fillHalfGaps({ centres, columnCount, clusterCount, halfGaps }: Search): void {
  halfGaps.fill(Number.POSITIVE_INFINITY)
  for (let a = 0; a < clusterCount; a++) {
    for (let b = a + 1; b < clusterCount; b++) {
      const square = squaredGap(centres, a * columnCount, centres, b * columnCount, columnCount)
      const half = Math.sqrt(square) / 2
      halfGaps[a] = Math.min(halfGaps[a]!, half)
      halfGaps[b] = Math.min(halfGaps[b]!, half)
    }
  }
}

function inertiaOf({ points, columnCount, centres, labels }: Search): number {
  let sum = 0
  for (let point = 0; point < labels.length; point++) {
    const centre = labels[point]! * columnCount
    sum += squaredGap(points, point * columnCount, centres, centre, columnCount)
  }
  return sum
}

function squaredLength(shifts: Float64Array): number {
  let sum = 0
  for (let c = 0; c < shifts.length; c++) sum += shifts[c]! * shifts[c]!
  return sum
}

/** Squared distance between the vectors at `a[atA…]` and `b[atB…]`. */
export function squaredGap(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
  columnCount: number,
): number {
  let sum = 0
  for (let d = 0; d < columnCount; d++) {
    const gap = a[atA + d]! - b[atB + d]!
    sum += gap * gap
  }
  return sum
}
