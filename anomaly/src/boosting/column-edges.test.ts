import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { binOfValue, writeColumnEdges } from './column-edges.ts'
import { EDGE_STRIDE } from './growth-memory.ts'

function edgesOf(values: readonly number[], maxBins: number): number[] {
  const edges = new Float64Array(EDGE_STRIDE)
  const count = writeColumnEdges(Float64Array.from(values).sort(), maxBins, edges)
  return Array.from(edges.subarray(0, count))
}

function binCounts(values: readonly number[], edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0)
  const list = Float64Array.from(edges)
  for (const value of values) {
    const bin = binOfValue(value, list, 0, list.length)
    counts[bin] = counts[bin]! + 1
  }
  return counts
}

describe('column edges', () => {
  test('few distinct values get a bin each, parted half-way', () => {
    expect(edgesOf([3, 1, 1, 2, 2, 2], 255)).toEqual([1.5, 2.5])
    expect(edgesOf([-1, 7], 2)).toEqual([3])
  })

  test('a constant or empty column has no edge', () => {
    expect(edgesOf([5, 5, 5], 255)).toEqual([])
    expect(edgesOf([], 255)).toEqual([])
  })

  test('edges rise, number fewer than the bins, and no bin is empty', () => {
    const column = fc.array(
      fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: 0, max: 5 })),
      { minLength: 1, maxLength: 400 },
    )
    fc.assert(
      fc.property(column, fc.integer({ min: 2, max: 60 }), (values, maxBins) => {
        const edges = edgesOf(values, maxBins)
        expect(edges.length).toBeLessThan(maxBins)
        for (let i = 1; i < edges.length; i++) expect(edges[i]!).toBeGreaterThan(edges[i - 1]!)
        expect(Math.min(...binCounts(values, edges))).toBeGreaterThan(0)
      }),
    )
  })

  test('distinct values spread evenly over the bins', () => {
    const values = Array.from({ length: 10_000 }, (_, i) => Math.sin(i * i) + i * 1e-9)
    const counts = binCounts(values, edgesOf(values, 100))
    expect(counts).toHaveLength(100)
    expect(Math.max(...counts)).toBeLessThanOrEqual(110)
    expect(Math.min(...counts.slice(0, -1))).toBeGreaterThanOrEqual(90)
  })

  test('a value that most rows share takes one bin and no resolution from the rest', () => {
    const others = Array.from({ length: 1000 }, (_, i) => i + 1)
    const values = [...new Array<number>(50_000).fill(0), ...others]
    const counts = binCounts(values, edgesOf(values, 51))
    expect(counts[0]).toBe(50_000)
    expect(counts.length).toBeGreaterThanOrEqual(50)
    expect(Math.max(...counts.slice(1))).toBeLessThanOrEqual(25)
  })

  test('neighbouring numbers are parted although nothing lies between them', () => {
    const next = 1 + Number.EPSILON
    expect(edgesOf([1, next], 255)).toEqual([next])
    expect(edgesOf([-Number.MAX_VALUE, Number.MAX_VALUE], 255)).toEqual([0])
  })
})
