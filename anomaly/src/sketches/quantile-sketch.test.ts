import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextIndex, nextNormal } from '../statistics/random.ts'
import {
  emptyQuantileSketch,
  mergeQuantileSketches,
  type QuantileSketch,
  quantileSketchOfSorted,
  rankErrorBound,
  updateQuantileSketch,
} from './quantile-sketch.ts'
import { parseQuantileSketch } from './sketch-state.ts'
import { weightedQuantile, weightedRank, weightedValuesOfSketch } from './weighted-values.ts'

const CAPACITY = 8

function normals(count: number, seed: number): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, () => nextNormal(random))
}

/** Largest difference between true and read rank, as a share of all values. */
function worstRankError(sketch: QuantileSketch, values: Float64Array): number {
  const sorted = values.slice().sort()
  const weighted = weightedValuesOfSketch(sketch)
  let worst = 0
  for (const [i, value] of sorted.entries()) {
    if (sorted[i + 1] === value) continue
    worst = Math.max(worst, Math.abs(weightedRank(weighted, value) - (i + 1) / sorted.length))
  }
  return worst
}

/** Batches of small integers, so that ties occur, and a random tree of merges over them. */
const batches = fc.array(
  fc
    .array(fc.integer({ min: -30, max: 30 }), { maxLength: 120 })
    .map((values) => Float64Array.from(values)),
  { minLength: 1, maxLength: 30 },
)

function mergedInRandomTree(parts: readonly Float64Array[], seed: number): QuantileSketch {
  const random = createRandom(seed)
  const empty = emptyQuantileSketch(CAPACITY)
  const sketches = parts.map((values) => updateQuantileSketch(empty, values))
  while (sketches.length > 1) {
    const [a] = sketches.splice(nextIndex(random, sketches.length), 1)
    const at = nextIndex(random, sketches.length)
    sketches[at] = mergeQuantileSketches(a ?? empty, sketches[at] ?? empty)
  }
  return sketches[0] ?? empty
}

describe('quantile sketch', () => {
  test('few values are kept exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: CAPACITY }), (values) => {
        const sketch = updateQuantileSketch(
          emptyQuantileSketch(CAPACITY),
          Float64Array.from(values),
        )
        expect(Array.from(sketch.items)).toEqual(values.toSorted((a, b) => a - b))
        expect(rankErrorBound(sketch)).toBe(0)
      }),
    )
  })

  test('no rank is farther off than the bound it carries, in any tree of merges', () => {
    fc.assert(
      fc.property(batches, fc.nat(), (parts, seed) => {
        const sketch = mergedInRandomTree(parts, seed)
        const all = Float64Array.from(parts.flatMap((values) => [...values]))
        expect(sketch.count).toBe(all.length)
        if (all.length === 0) return
        expect(sketch.minimum).toBe(Math.min(...all))
        expect(sketch.maximum).toBe(Math.max(...all))
        expect(worstRankError(sketch, all)).toBeLessThanOrEqual(rankErrorBound(sketch) + 1e-12)
        const levels = sketch.levelSizes.length
        expect(rankErrorBound(sketch)).toBeLessThanOrEqual(levels / CAPACITY)
      }),
    )
  })

  test('the bound is not idle: a chain of merges comes near it', () => {
    const parts = Array.from({ length: 200 }, (_, i) => normals(50, i))
    const sketch = mergedInRandomTree(parts, 1)
    const all = Float64Array.from(parts.flatMap((values) => [...values]))
    expect(worstRankError(sketch, all)).toBeGreaterThan(rankErrorBound(sketch) / 50)
    expect(rankErrorBound(sketch)).toBeLessThan(sketch.levelSizes.length / CAPACITY)
  })

  test('a merge gives the same bytes whichever comes first', () => {
    fc.assert(
      fc.property(batches, batches, (left, right) => {
        const [a, b] = [mergedInRandomTree(left, 1), mergedInRandomTree(right, 2)]
        expect(mergeQuantileSketches(a, b)).toEqual(mergeQuantileSketches(b, a))
      }),
    )
  })

  test('with the default capacity a million values in a thousand batches stay within 1 %', () => {
    let sketch = emptyQuantileSketch()
    for (let batch = 0; batch < 1000; batch++)
      sketch = updateQuantileSketch(sketch, normals(1000, batch))
    expect(sketch.count).toBe(1_000_000)
    expect(rankErrorBound(sketch)).toBeLessThan(0.006)
    expect(encodeModel(sketch).length).toBeLessThan(200_000)
  })

  test('one sorted batch is sampled in one step', () => {
    const values = normals(100_003, 5)
    const sketch = quantileSketchOfSorted(values.slice().sort())
    expect(sketch.count).toBe(100_003)
    expect(rankErrorBound(sketch)).toBeLessThan(0.0005)
    expect(worstRankError(sketch, values)).toBeLessThanOrEqual(rankErrorBound(sketch) + 1e-12)
    const weighted = weightedValuesOfSketch(sketch)
    expect(weightedQuantile(weighted, 0.5)).toBeCloseTo(0, 1)
    expect(weightedQuantile(weighted, 0)).toBeLessThan(-3)
  })

  test('NaN is left out, infinite values are refused', () => {
    const sketch = updateQuantileSketch(emptyQuantileSketch(), Float64Array.of(Number.NaN, 2))
    expect(sketch).toMatchObject({ count: 1, minimum: 2, maximum: 2 })
    const infinite = Float64Array.of(1, Number.NEGATIVE_INFINITY)
    expect(() => updateQuantileSketch(sketch, infinite)).toThrow('value 1 is -Infinity')
    expect(() => emptyQuantileSketch(7)).toThrow('capacity')
    expect(() => mergeQuantileSketches(sketch, emptyQuantileSketch(16))).toThrow('2048')
    expect(() => weightedQuantile(weightedValuesOfSketch(emptyQuantileSketch()), 0.5)).toThrow(
      'at least 1 row',
    )
  })

  test('a sketch survives a model file; a changed field is refused', () => {
    const sketch = mergedInRandomTree([normals(500, 1), normals(300, 2)], 3)
    expect(parseQuantileSketch(decodeModel(encodeModel(sketch)))).toEqual(sketch)
    const empty = emptyQuantileSketch()
    expect(parseQuantileSketch(decodeModel(encodeModel(empty)))).toEqual(empty)
    const broken = [
      { ...sketch, count: sketch.count + 1 },
      { ...sketch, items: sketch.items.toReversed() },
      { ...sketch, maximum: 0 },
      { ...sketch, levelSizes: new Uint32Array(2).fill(9) },
      { ...sketch, excess: -1 },
    ]
    for (const state of broken) expect(() => parseQuantileSketch(state)).toThrow('model state')
  })
})
