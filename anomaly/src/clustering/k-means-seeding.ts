import { nextIndex, nextOpenUnit, type Random } from '../statistics/random.ts'
import { squaredGap } from './lloyd.ts'

/**
 * Starting centres far apart: each next centre is a point drawn with probability proportional to
 * its squared distance from the centres so far, the best of a few draws (k-means++, greedy).
 * @returns up to clusterCount centres, row-major; fewer where fewer points are distinct
 * Cost O(points · clusters · columns · (2 + ln clusters)).
 * Source: Arthur & Vassilvitskii 2007; number of draws as in scikit-learn.
 */
export function seedCentres(
  points: Float64Array,
  columnCount: number,
  clusterCount: number,
  random: Random,
): Float64Array {
  const pointCount = points.length / columnCount
  const drawCount = 2 + Math.floor(Math.log(clusterCount))
  const centres = new Float64Array(clusterCount * columnCount)
  const squares = new Float64Array(pointCount).fill(Number.POSITIVE_INFINITY)
  let chosen = nextIndex(random, pointCount)
  for (let count = 0; ; ) {
    copyPoint(points, columnCount, chosen, centres, count)
    count++
    let potential = 0
    for (let point = 0; point < pointCount; point++) {
      const square = squaredGap(
        points,
        point * columnCount,
        points,
        chosen * columnCount,
        columnCount,
      )
      squares[point] = Math.min(squares[point]!, square)
      potential += squares[point]!
    }
    if (count === clusterCount || !(potential > 0)) return centres.subarray(0, count * columnCount)
    chosen = bestOfDraws(points, columnCount, squares, potential, drawCount, random)
  }
}

function bestOfDraws(
  points: Float64Array,
  columnCount: number,
  squares: Float64Array,
  potential: number,
  drawCount: number,
  random: Random,
): number {
  let best = 0
  let bestPotential = Number.POSITIVE_INFINITY
  for (let draw = 0; draw < drawCount; draw++) {
    const candidate = drawBySquare(squares, nextOpenUnit(random) * potential)
    const at = candidate * columnCount
    let left = 0
    for (let point = 0; point < squares.length; point++) {
      left += Math.min(
        squares[point]!,
        squaredGap(points, point * columnCount, points, at, columnCount),
      )
    }
    if (left < bestPotential) {
      bestPotential = left
      best = candidate
    }
  }
  return best
}

/** The point at which the running sum of squares passes `target`; never one of square 0. */
function drawBySquare(squares: Float64Array, target: number): number {
  let sum = 0
  let last = 0
  for (let point = 0; point < squares.length; point++) {
    const square = squares[point]!
    if (square === 0) continue
    sum += square
    last = point
    if (sum >= target) break
  }
  return last
}

function copyPoint(
  points: Float64Array,
  columnCount: number,
  point: number,
  centres: Float64Array,
  cluster: number,
): void {
  for (let d = 0; d < columnCount; d++) {
    centres[cluster * columnCount + d] = points[point * columnCount + d]!
  }
}
