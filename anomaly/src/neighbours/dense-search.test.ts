import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix } from '../../testing/generated-tables.ts'
import { findNearestDense, prepareDenseSearch } from './dense-search.ts'
import { buildKdTree } from './kd-tree.ts'
import { findNearest, neighbourList } from './kd-tree-search.ts'
import { answerBlock, askForPoints, BLOCK_QUERIES, neighbourSearch } from './neighbour-search.ts'

/** Values whose squares stress 32-bit products: ties, outliers, offsets, tiny and huge units. */
const shapes = {
  plain: (value: number) => value,
  coarse: (value: number) => Math.round(value),
  outliers: (value: number, i: number) => (i % 97 === 0 ? value * 1e6 : value),
  offset: (value: number) => value * 1e-3 + 1e6,
  tiny: (value: number) => value * 1e-30,
  huge: (value: number) => value * 1e12,
  beyond: (value: number) => value * 1e200,
} as const

describe('dense search', () => {
  test('finds the bits that the tree finds', () => {
    const record = {
      pointCount: fc.integer({ min: 2, max: 2500 }),
      dimensionCount: fc.integer({ min: 1, max: 25 }),
      neighbourCount: fc.integer({ min: 1, max: 12 }),
      queryCount: fc.integer({ min: 1, max: 32 }),
      shape: fc.constantFrom(...(Object.keys(shapes) as (keyof typeof shapes)[])),
      isOwnPoint: fc.boolean(),
      seed: fc.nat(1000),
    }
    fc.assert(
      fc.property(fc.record(record), ({ pointCount, dimensionCount, neighbourCount, ...rest }) => {
        const queryCount = rest.isOwnPoint ? Math.min(rest.queryCount, pointCount) : rest.queryCount
        const drawn = normalMatrix(pointCount + queryCount, dimensionCount, rest.seed).values
        const values = drawn.map(shapes[rest.shape])
        const tree = buildKdTree(values.slice(queryCount * dimensionCount), dimensionCount)
        const dense = prepareDenseSearch(tree)
        if (dense === null) {
          expect(rest.shape).toBe('beyond')
          return
        }
        const own = tree.points.slice(0, queryCount * dimensionCount)
        const queries = rest.isOwnPoint ? own : values.slice(0, queryCount * dimensionCount)
        const count = Math.min(neighbourCount, pointCount - 1)
        const lists = Array.from({ length: queryCount }, () => neighbourList(count))
        findNearestDense(dense, queries, queryCount, rest.isOwnPoint ? 0 : -1, lists)
        const expected = neighbourList(count)
        for (let i = 0; i < queryCount; i++) {
          const query = queries.slice(i * dimensionCount, (i + 1) * dimensionCount)
          findNearest(tree, query, rest.isOwnPoint ? i : -1, expected)
          expect(lists[i]?.positions).toEqual(expected.positions)
          expect(lists[i]?.squaredDistances).toEqual(expected.squaredDistances)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('is taken where the tree looks at most points, and not where it looks at few', () => {
    const isDense = (dimensionCount: number) => {
      const tree = buildKdTree(normalMatrix(2000, dimensionCount, 1).values, dimensionCount)
      const search = neighbourSearch(tree, 5, 2000)
      askForPoints(search, 0, BLOCK_QUERIES)
      return search.dense !== null
    }
    expect(isDense(2)).toBe(false)
    expect(isDense(24)).toBe(true)
  })

  test('few queries and few points stay with the tree', () => {
    const points = normalMatrix(1500, 24, 2).values
    const few = neighbourSearch(buildKdTree(points, 24), 5, 40)
    answerBlock(few, 32, -1)
    expect(few.dense).toBeNull()
    const small = neighbourSearch(buildKdTree(points.slice(0, 24 * 900), 24), 5, 5000)
    answerBlock(small, 32, -1)
    expect(small.dense).toBeNull()
  })

  test('queries too large for 32 bits are measured in full', () => {
    const tree = buildKdTree(normalMatrix(50, 9, 3).values, 9)
    const dense = prepareDenseSearch(tree)
    if (dense === null) throw new Error('points are small')
    const query = new Float64Array(9).fill(1e100)
    const [found, expected] = [neighbourList(4), neighbourList(4)]
    findNearestDense(dense, query, 1, -1, [found])
    findNearest(tree, query, -1, expected)
    expect(found.positions).toEqual(expected.positions)
  })
})
