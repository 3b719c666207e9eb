import { invalidOption } from '../errors.ts'
import { createRandom } from '../statistics/random.ts'
import { seedCentres } from './k-means-seeding.ts'
import { type Partition, runLloyd } from './lloyd.ts'

/** How often and how long to search for centres. */
export type PartitionOptions = {
  readonly startCount: number
  readonly maxIterations: number
  readonly tolerance: number
  readonly seed: number
}

/** The partition of least inertia among several seeded starts; the first wins a tie. */
export function bestPartition(
  points: Float64Array,
  columnCount: number,
  clusterCount: number,
  options: PartitionOptions,
): Partition {
  const { startCount, seed } = options
  if (!Number.isInteger(startCount) || startCount < 1) {
    throw invalidOption('startCount', 'an integer ≥ 1', startCount)
  }
  const partitionOfStart = (start: number) => {
    const centres = seedCentres(points, columnCount, clusterCount, createRandom(seed, start))
    return partitionFrom(points, columnCount, centres, options)
  }
  let best = partitionOfStart(0)
  for (let start = 1; start < startCount; start++) {
    const partition = partitionOfStart(start)
    if (partition.inertia < best.inertia) best = partition
  }
  return best
}

/** The partition that Lloyd's iterations reach from the given centres. */
export function partitionFrom(
  points: Float64Array,
  columnCount: number,
  centres: Float64Array,
  options: PartitionOptions,
): Partition {
  const { maxIterations, tolerance } = options
  if (!Number.isInteger(maxIterations) || maxIterations < 1) {
    throw invalidOption('maxIterations', 'an integer ≥ 1', maxIterations)
  }
  if (!(tolerance >= 0)) throw invalidOption('tolerance', '≥ 0', tolerance)
  const squaredShift = tolerance * meanVariance(points, columnCount)
  return runLloyd(points, columnCount, centres, { maxIterations, squaredShift })
}

/** Mean over the columns of the population variance. */
function meanVariance(points: Float64Array, columnCount: number): number {
  const pointCount = points.length / columnCount
  let total = 0
  for (let d = 0; d < columnCount; d++) {
    let sum = 0
    for (let at = d; at < points.length; at += columnCount) sum += points[at]!
    const mean = sum / pointCount
    for (let at = d; at < points.length; at += columnCount) {
      total += (points[at]! - mean) * (points[at]! - mean)
    }
  }
  return total / points.length
}
