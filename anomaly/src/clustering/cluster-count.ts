import { invalidOption } from '../errors.ts'
import { createRandom, nextOpenUnit, sampleIndices, splitSeed } from '../statistics/random.ts'
import { bestPartition, type PartitionOptions } from './best-partition.ts'
import { meanSilhouette } from './silhouette.ts'

/** How to choose the number of clusters. */
export type ClusterCountMethod = 'silhouette' | 'gap'

/** Options of the choice; the starts are those of the partitions compared. */
export type ClusterCountOptions = PartitionOptions & {
  readonly maxClusterCount: number
  /** Points partitioned for the choice; more are sampled. */
  readonly maxPoints: number
  /** Uniform tables that the gap statistic compares with. */
  readonly gapReferenceCount: number
}

/** One number of clusters tried. */
export type ClusterCountCandidate = {
  readonly clusterCount: number
  readonly inertia: number
  /** Mean silhouette in [−1, 1], or Gap(k); NaN for k = 1 under 'silhouette'. */
  readonly value: number
  /** Standard error s(k) of Gap(k); 0 under 'silhouette'. */
  readonly error: number
}

/** The number of clusters, and how the others fared. */
export type ClusterCountChoice = {
  readonly clusterCount: number
  readonly candidates: readonly ClusterCountCandidate[]
}

/**
 * Number of clusters by the highest mean silhouette (from 2 on; Rousseeuw 1987), or by the gap
 * statistic: the smallest k with Gap(k) ≥ Gap(k + 1) − s(k + 1), from 1 on (Tibshirani, Walther &
 * Hastie 2001, with uniform references over the box of the points). Points too few or all equal
 * are one cluster.
 */
export function chooseCount(
  points: Float64Array,
  columnCount: number,
  method: ClusterCountMethod,
  options: ClusterCountOptions,
): ClusterCountChoice {
  const { maxClusterCount, maxPoints, seed } = options
  if (!Number.isInteger(maxClusterCount) || maxClusterCount < 2) {
    throw invalidOption('maxClusterCount', 'an integer ≥ 2', maxClusterCount)
  }
  const sample = samplePoints(points, columnCount, maxPoints, splitSeed(seed, 1))
  const limit = Math.min(maxClusterCount, sample.length / columnCount - 1)
  return method === 'silhouette'
    ? bySilhouette(sample, columnCount, limit, options)
    : byGap(sample, columnCount, limit, options)
}

function bySilhouette(
  sample: Float64Array,
  columnCount: number,
  limit: number,
  options: ClusterCountOptions,
): ClusterCountChoice {
  const candidates: ClusterCountCandidate[] = []
  let best = { clusterCount: 1, value: Number.NEGATIVE_INFINITY }
  for (let k = 2; k <= limit; k++) {
    const { clusterCount, labels, inertia } = bestPartition(sample, columnCount, k, options)
    // Fewer distinct points than clusters asked for.
    if (clusterCount < k) break
    const value = meanSilhouette(sample, columnCount, labels, { maxRows: labels.length })
    const candidate = { clusterCount, inertia, value, error: 0 }
    candidates.push(candidate)
    if (candidate.value > best.value) best = candidate
  }
  return { clusterCount: best.clusterCount, candidates }
}

function byGap(
  sample: Float64Array,
  columnCount: number,
  limit: number,
  options: ClusterCountOptions,
): ClusterCountChoice {
  const { gapReferenceCount, seed } = options
  if (!Number.isInteger(gapReferenceCount) || gapReferenceCount < 2) {
    throw invalidOption('gapReferenceCount', 'an integer ≥ 2', gapReferenceCount)
  }
  const references = Array.from({ length: gapReferenceCount }, (_, i) =>
    uniformTable(sample, columnCount, splitSeed(seed, 2 + i)),
  )
  const candidates: ClusterCountCandidate[] = []
  for (let k = 1; k <= limit; k++) {
    const { clusterCount, inertia } = bestPartition(sample, columnCount, k, options)
    if (clusterCount < k || inertia === 0) break
    const logs = references.map((reference) =>
      Math.log(bestPartition(reference, columnCount, k, options).inertia),
    )
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
    const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length
    const error = Math.sqrt(variance * (1 + 1 / logs.length))
    candidates.push({ clusterCount, inertia, value: mean - Math.log(inertia), error })
  }
  const chosen = candidates.find((candidate, i) => {
    const next = candidates[i + 1]
    return next === undefined || candidate.value >= next.value - next.error
  })
  return { clusterCount: chosen?.clusterCount ?? 1, candidates }
}

function samplePoints(
  points: Float64Array,
  columnCount: number,
  maxPoints: number,
  seed: number,
): Float64Array {
  const pointCount = points.length / columnCount
  if (pointCount <= maxPoints) return points
  const drawn = sampleIndices(createRandom(seed), pointCount, maxPoints).sort()
  const sample = new Float64Array(maxPoints * columnCount)
  for (let i = 0; i < maxPoints; i++) {
    const from = drawn[i]! * columnCount
    for (let d = 0; d < columnCount; d++) sample[i * columnCount + d] = points[from + d]!
  }
  return sample
}

/** As many uniform points over the box of the sample. */
function uniformTable(sample: Float64Array, columnCount: number, seed: number): Float64Array {
  const random = createRandom(seed)
  const lower = new Float64Array(columnCount).fill(Number.POSITIVE_INFINITY)
  const upper = new Float64Array(columnCount).fill(Number.NEGATIVE_INFINITY)
  for (let i = 0; i < sample.length; i++) {
    const d = i % columnCount
    lower[d] = Math.min(lower[d]!, sample[i]!)
    upper[d] = Math.max(upper[d]!, sample[i]!)
  }
  return sample.map((_, i) => {
    const d = i % columnCount
    return lower[d]! + nextOpenUnit(random) * (upper[d]! - lower[d]!)
  })
}
