import { createRandom, nextIndex, nextOpenUnit } from '../statistics/random.ts'
import { coordinateCount, type SearchSpace } from './search-space.ts'

/** Trials before a model of the loss is trusted. */
export function designSize(space: SearchSpace): number {
  return 3 + 2 * Object.keys(space).length
}

/**
 * Point `index` of a Latin hypercube: along every coordinate the points of the design fall into
 * different slices. Source: McKay, Beckman & Conover 1979.
 */
export function designPoint(space: SearchSpace, seed: number, index: number): Float64Array {
  const random = createRandom(seed, 0)
  const size = designSize(space)
  const point = new Float64Array(coordinateCount(space))
  const slices = new Uint32Array(size)
  for (let c = 0; c < point.length; c++) {
    for (let i = 0; i < size; i++) slices[i] = i
    for (let i = size - 1; i > 0; i--) {
      const other = nextIndex(random, i + 1)
      const slice = slices[i]!
      slices[i] = slices[other]!
      slices[other] = slice
    }
    for (let i = 0; i < size; i++) {
      const place = (slices[i]! + nextOpenUnit(random)) / size
      if (i === index) point[c] = place
    }
  }
  return point
}
