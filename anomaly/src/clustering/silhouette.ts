import { AnomalyError, invalidOption, shapeMismatch } from '../errors.ts'
import { type FeatureMatrix, requireFinite, requireShape } from '../feature-matrix.ts'
import { createRandom, sampleIndices } from '../statistics/random.ts'

/** Options of the silhouette. */
export type SilhouetteOptions = {
  /** Rows compared with each other; more are sampled. Default 2,000. */
  readonly maxRows?: number
  /** Seed of that sampling, default 42. */
  readonly seed?: number
}

/**
 * Mean silhouette of a clustering: (b − a) / max(a, b) over the rows, a the mean distance to the
 * rows of the own cluster and b that to the nearest other cluster. In [−1, 1], higher is better
 * separated. Rows labelled below 0 (noise) are left out; rows alone in their cluster count 0.
 * @param matrix columns in comparable units: scale them first
 * @param labels one per row, integers
 * @throws ONE_CLASS with fewer than two clusters, SHAPE_MISMATCH, NOT_FINITE, INVALID_OPTION
 * Cost O(maxRows² · columns). Source: Rousseeuw 1987; equal to scikit-learn's `silhouette_score`
 * where no row is sampled away.
 */
export function silhouette(
  matrix: FeatureMatrix,
  labels: ArrayLike<number>,
  options: SilhouetteOptions = {},
): number {
  requireShape(matrix)
  requireFinite('silhouette', matrix)
  if (labels.length !== matrix.rowCount) {
    throw shapeMismatch('labels.length', matrix.rowCount, labels.length)
  }
  const value = meanSilhouette(matrix.values, matrix.columnNames.length, labels, options)
  if (Number.isNaN(value)) {
    throw new AnomalyError(
      'ONE_CLASS',
      'silhouette: the labels name fewer than two clusters, expected at least two',
    )
  }
  return value
}

/** As `silhouette`, for checked points; NaN with fewer than two clusters. */
export function meanSilhouette(
  points: Float64Array,
  columnCount: number,
  labels: ArrayLike<number>,
  options: SilhouetteOptions,
): number {
  const { maxRows = 2000, seed = 42 } = options
  if (!Number.isInteger(maxRows) || maxRows < 2) {
    throw invalidOption('maxRows', 'an integer ≥ 2', maxRows)
  }
  const rows = sampleClustered(labels, maxRows, seed)
  const clusters = denseClusters(labels, rows)
  const { clusterCount, clusterOfRow, clusterSizes } = clusters
  if (clusterCount < 2) return Number.NaN
  const sums = new Float64Array(clusterCount)
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    sumDistances(points, columnCount, rows, i, clusterOfRow, sums)
    total += silhouetteOf(clusterOfRow[i]!, sums, clusterSizes)
  }
  return total / rows.length
}

function sampleClustered(labels: ArrayLike<number>, maxRows: number, seed: number): Uint32Array {
  const rows: number[] = []
  for (let row = 0; row < labels.length; row++) if (labels[row]! >= 0) rows.push(row)
  if (rows.length <= maxRows) return Uint32Array.from(rows)
  const drawn = sampleIndices(createRandom(seed), rows.length, maxRows).sort()
  return drawn.map((index) => rows[index]!)
}

/** Labels of the rows as 0, 1, … and the size of each cluster among them. */
function denseClusters(labels: ArrayLike<number>, rows: Uint32Array) {
  const numberOfLabel = new Map<number, number>()
  const clusterOfRow = new Uint32Array(rows.length)
  const sizes: number[] = []
  for (const [i, row] of rows.entries()) {
    const label = labels[row]!
    const cluster = numberOfLabel.get(label) ?? numberOfLabel.size
    numberOfLabel.set(label, cluster)
    clusterOfRow[i] = cluster
    sizes[cluster] = (sizes[cluster] ?? 0) + 1
  }
  return { clusterCount: sizes.length, clusterOfRow, clusterSizes: Uint32Array.from(sizes) }
}

/** Sums of distances from row i of the sample to the rows of each cluster. */
function sumDistances(
  points: Float64Array,
  columnCount: number,
  rows: Uint32Array,
  i: number,
  clusterOfRow: Uint32Array,
  sums: Float64Array,
): void {
  sums.fill(0)
  const own = rows[i]! * columnCount
  for (let j = 0; j < rows.length; j++) {
    const other = rows[j]! * columnCount
    let square = 0
    for (let d = 0; d < columnCount; d++) {
      const gap = points[own + d]! - points[other + d]!
      square += gap * gap
    }
    const cluster = clusterOfRow[j]!
    sums[cluster] = sums[cluster]! + Math.sqrt(square)
  }
}

function silhouetteOf(own: number, sums: Float64Array, sizes: Uint32Array): number {
  if (sizes[own] === 1) return 0
  const within = sums[own]! / (sizes[own]! - 1)
  let nearest = Number.POSITIVE_INFINITY
  for (let cluster = 0; cluster < sums.length; cluster++) {
    if (cluster !== own) nearest = Math.min(nearest, sums[cluster]! / sizes[cluster]!)
  }
  const larger = Math.max(within, nearest)
  return larger > 0 ? (nearest - within) / larger : 0
}
