import { invalidOption } from '../errors.ts'
import type { FeatureMatrix } from '../feature-matrix.ts'
import { type ReferenceOptions, scaledReferenceRows } from '../neighbours/reference-rows.ts'
import { quantileOfSorted } from '../statistics/quantile.ts'
import { coreDistances } from './dbscan.ts'
import { findDensityClusters } from './density-clusters.ts'
import { meanSilhouette } from './silhouette.ts'

/** Options of the search for a radius. */
export type RadiusChoiceOptions = ReferenceOptions & {
  /** As in `DbscanOptions`; default 20. */
  readonly minSamples?: number
  /** Radii tried, evenly spaced in the quantile; default 10. */
  readonly candidateCount?: number
  /** Lowest and highest quantile of the core distances tried; default 0.80 and 0.99. */
  readonly lowestQuantile?: number
  readonly highestQuantile?: number
  /** Most rows in no cluster; default 0.05. */
  readonly maxNoiseShare?: number
  /** Default 2 and 100. */
  readonly minClusters?: number
  readonly maxClusters?: number
  /** Rows the silhouette compares; default 10,000. */
  readonly silhouetteRows?: number
}

/** One radius tried, and what it gave. */
export type RadiusCandidate = {
  readonly radius: number
  readonly clusterCount: number
  /** Share of the reference rows in no cluster, in [0, 1]. */
  readonly noiseShare: number
  /** Mean silhouette of the clustered rows; NaN where it was not needed. */
  readonly silhouette: number
}

/** The radius that separates clusters best. */
export type RadiusChoice = {
  /** Null if no candidate gives a clustering within the bounds: then none should be published. */
  readonly radius: number | null
  readonly candidates: readonly RadiusCandidate[]
}

/**
 * Chooses the DBSCAN radius: among quantiles of the distance that covers `minSamples` rows, the one
 * of highest silhouette whose noise and number of clusters stay within bounds; the smaller radius
 * wins a tie.
 * @throws as `clusterByDensity`
 * Cost: a clustering and a silhouette per candidate. Source: MOD-21; sorted core distances after
 * Ester et al. 1996.
 */
export function chooseDbscanRadius(
  matrix: FeatureMatrix,
  options: RadiusChoiceOptions = {},
): RadiusChoice {
  const { minSamples = 20, candidateCount = 10, maxNoiseShare = 0.05 } = options
  const { minClusters = 2, maxClusters = 100, silhouetteRows = 10_000 } = options
  if (!Number.isInteger(minSamples) || minSamples < 2) {
    throw invalidOption('minSamples', 'an integer ≥ 2', minSamples)
  }
  const { points, seed } = scaledReferenceRows('dbscan radius', matrix, options, 2)
  const columnCount = matrix.columnNames.length
  const distances = coreDistances(points, columnCount, minSamples).sort()
  const candidates = candidateQuantiles(candidateCount, options)
    .map((probability) => quantileOfSorted(distances, probability))
    .filter((radius, i, all) => radius > 0 && radius !== all[i - 1])
    .map((radius): RadiusCandidate => {
      const found = findDensityClusters(points, columnCount, radius, minSamples)
      const { labels, clusterCount } = found
      const noiseShare = labels.filter((label) => label < 0).length / labels.length
      const isWithin =
        noiseShare < maxNoiseShare && clusterCount >= minClusters && clusterCount <= maxClusters
      const value = isWithin
        ? meanSilhouette(points, columnCount, labels, { maxRows: silhouetteRows, seed })
        : Number.NaN
      return { radius, clusterCount, noiseShare, silhouette: value }
    })
  let best: RadiusCandidate | null = null
  for (const candidate of candidates) {
    if (candidate.silhouette > (best?.silhouette ?? Number.NEGATIVE_INFINITY)) best = candidate
  }
  return { radius: best?.radius ?? null, candidates }
}

function candidateQuantiles(count: number, options: RadiusChoiceOptions): number[] {
  const { lowestQuantile = 0.8, highestQuantile = 0.99 } = options
  if (!Number.isInteger(count) || count < 1) {
    throw invalidOption('candidateCount', 'an integer ≥ 1', count)
  }
  if (!(lowestQuantile >= 0 && lowestQuantile <= highestQuantile && highestQuantile <= 1)) {
    throw invalidOption('lowestQuantile', 'in [0, highestQuantile ≤ 1]', lowestQuantile)
  }
  const step = count > 1 ? (highestQuantile - lowestQuantile) / (count - 1) : 0
  return Array.from({ length: count }, (_, i) =>
    Math.min(highestQuantile, lowestQuantile + i * step),
  )
}
