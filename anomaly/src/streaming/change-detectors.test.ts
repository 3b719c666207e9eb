import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRandom, nextNormal, nextOpenUnit } from '../statistics/random.ts'
import { type AdwinOptions, emptyAdwin, finishAdwin, updateAdwin } from './adwin.ts'
import {
  emptyCusumChart,
  emptyEwmaChart,
  updateCusumChart,
  updateEwmaChart,
} from './control-chart.ts'
import { emptyHalfSpaceTrees, scoreHalfSpaceRow, updateHalfSpaceTrees } from './half-space-trees.ts'
import { emptyPageHinkley, type PageHinkleyOptions, updatePageHinkley } from './page-hinkley.ts'

/** 0.5 sin(1.3 i²), and 1.5 more from 500 to 799: the series River 0.26.1 was run on. */
const shifted = (i: number) => (i >= 500 && i < 800 ? 1.5 : 0) + 0.5 * Math.sin(1.3 * i * i)

describe('adaptive window', () => {
  test('finds the changes River finds, with the same windows', () => {
    const runs: readonly [AdwinOptions, number[][], number, number, number][] = [
      [
        {},
        [
          [511, 112],
          [831, 48],
        ],
        368,
        -0.007222610982508228,
        46.91376048249354,
      ],
      [
        { confidence: 0.05, checkEvery: 1 },
        [
          [505, 314],
          [807, 174],
        ],
        392,
        0.0020187278994064748,
        49.09080338706673,
      ],
      [
        { confidence: 0.2, checkEvery: 8, maxBuckets: 3, minPartLength: 3 },
        [
          [511, 16],
          [807, 24],
        ],
        392,
        0.0020187278994064748,
        49.09080338706673,
      ],
    ]
    for (const [options, changes, width, mean, squares] of runs) {
      const window = emptyAdwin({ ...options, afterChange: 'restart' })
      const found: number[][] = []
      for (let i = 0; i < 1200; i++) {
        if (updateAdwin(window, shifted(i))) found.push([i, window.width])
      }
      expect(found).toEqual(changes)
      expect(finishAdwin(window).width).toBe(width)
      expect(finishAdwin(window).mean).toBeCloseTo(mean, 12)
      expect(finishAdwin(window).variance * width).toBeCloseTo(squares, 10)
    }
  })

  test('without a change its mean and variance are those of all values', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.nat(1000), (count, seed) => {
        const random = createRandom(seed)
        const window = emptyAdwin({ confidence: 1e-12 })
        const values = Array.from({ length: count }, () => nextNormal(random))
        for (const value of values) updateAdwin(window, value)
        const mean = values.reduce((sum, value) => sum + value, 0) / count
        const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count
        const found = finishAdwin(window)
        expect(found.width).toBe(count)
        expect(found.mean).toBeCloseTo(mean, 10)
        expect(found.variance).toBeCloseTo(variance, 10)
      }),
    )
  })

  test('keeps the recent part after a change, and memory logarithmic', () => {
    const window = emptyAdwin()
    const random = createRandom(3)
    for (let i = 0; i < 20_000; i++) {
      updateAdwin(window, (i < 10_000 ? 0 : 5) + nextNormal(random))
    }
    expect(window.changeCount).toBeGreaterThan(0)
    expect(finishAdwin(window).mean).toBeCloseTo(5, 0)
    expect(window.rows.length).toBeLessThan(15)
    expect(() => updateAdwin(window, Number.NaN)).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    )
    expect(() => emptyAdwin({ confidence: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

describe('Page-Hinkley test', () => {
  test('finds the changes River finds', () => {
    const runs: readonly [PageHinkleyOptions, number[]][] = [
      [{}, [531, 835]],
      [{ threshold: 10 }, [406, 503, 802]],
      [{ threshold: 10, direction: 'down' }, [406, 809]],
      [{ threshold: 10, direction: 'up', retention: 1, tolerance: 0.1 }, [506]],
    ]
    for (const [options, expected] of runs) {
      const state = emptyPageHinkley(options)
      const found = Array.from({ length: 1200 }, (_, i) => i).filter((i) =>
        updatePageHinkley(state, shifted(i)),
      )
      expect(found).toEqual(expected)
    }
    expect(() => emptyPageHinkley({ threshold: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
    expect(() => updatePageHinkley(emptyPageHinkley(), Infinity)).toThrow(
      expect.objectContaining({ code: 'NOT_FINITE' }),
    )
  })
})

describe('control charts', () => {
  const process = { mean: 10, deviation: 1 }

  test('CUSUM follows its recursion and says since when', () => {
    // Montgomery's scheme: C⁺ = max(0, x − (μ + K) + C⁺), C⁻ = max(0, (μ − K) − x + C⁻).
    const values = [9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.2, 10.34]
    const chart = emptyCusumChart({ ...process, limit: 5 })
    let high = 0
    let low = 0
    for (const value of values) {
      high = Math.max(0, high + value - 10.5)
      low = Math.max(0, low + 9.5 - value)
      const share = updateCusumChart(chart, value)
      expect(share).toBeCloseTo((high >= low ? high : -low) / 5, 12)
    }
    for (let i = 0; i < 7; i++) updateCusumChart(chart, 12)
    expect(chart.high).toBeGreaterThan(5)
    expect(chart.highCount).toBe(7)
  })

  test('the EWMA limit widens from λσL to its steady width', () => {
    const options = { ...process, weight: 0.1, limit: 2.7 }
    expect(updateEwmaChart(emptyEwmaChart(options), 10 + 2.7)).toBeCloseTo(1, 12)
    const chart = emptyEwmaChart(options)
    for (let i = 0; i < 500; i++) updateEwmaChart(chart, 10)
    const steady = 2.7 * Math.sqrt(0.1 / 1.9)
    expect(updateEwmaChart(chart, 10 - steady / 0.1)).toBeCloseTo(-1, 9)
  })

  test('in control, both alarm about once in 400 to 600 values', () => {
    const random = createRandom(5)
    let cusum = emptyCusumChart(process)
    let ewma = emptyEwmaChart(process)
    const alarms = { cusum: 0, ewma: 0 }
    for (let i = 0; i < 100_000; i++) {
      const value = 10 + nextNormal(random)
      if (Math.abs(updateCusumChart(cusum, value)) > 1) {
        alarms.cusum += 1
        cusum = emptyCusumChart(process)
      }
      if (Math.abs(updateEwmaChart(ewma, value)) > 1) {
        alarms.ewma += 1
        ewma = emptyEwmaChart(process)
      }
    }
    for (const count of Object.values(alarms)) {
      expect(100_000 / count).toBeGreaterThan(400)
      expect(100_000 / count).toBeLessThan(600)
    }
  })

  test('bad input is refused', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => emptyCusumChart({ mean: 0, deviation: 0 })).toThrow(code('INVALID_OPTION'))
    expect(() => emptyEwmaChart({ ...process, weight: 2 })).toThrow(code('INVALID_OPTION'))
    expect(() => updateEwmaChart(emptyEwmaChart(process), Number.NaN)).toThrow(code('NOT_FINITE'))
    expect(() => updateCusumChart(emptyCusumChart(process), Infinity)).toThrow(code('NOT_FINITE'))
  })
})

describe('half-space trees', () => {
  const options = {
    ranges: { a: [0, 1], b: [0, 1] },
    windowRows: 100,
    treeCount: 15,
    height: 6,
  } as const

  test('masses and scores equal a walk by the definition', () => {
    const trees = emptyHalfSpaceTrees(options)
    const random = createRandom(1)
    const rows = Array.from({ length: 100 }, () => [
      0.4 + 0.1 * nextOpenUnit(random),
      nextOpenUnit(random),
    ])
    for (const row of rows) {
      expect(scoreHalfSpaceRow(trees, row)).toBe(0)
      updateHalfSpaceTrees(trees, row)
    }
    /** Rows of the window that share the first `depth` turns of `row` in one tree. */
    const sharing = (tree: number, row: readonly number[], depth: number) => {
      const path = (of: readonly number[]) => {
        let node = 0
        for (let d = 0; d < depth; d++) {
          const at = tree * 63 + node
          node = 2 * node + (of[trees.splitColumns[at]!]! < trees.splitThresholds[at]! ? 1 : 2)
        }
        return node
      }
      return rows.filter((other) => path(other) === path(row)).length
    }
    for (const row of [
      [0.45, 0.5],
      [0.95, 0.95],
      [0, 0],
    ]) {
      let sum = 0
      for (let tree = 0; tree < 15; tree++) {
        for (let depth = 0; depth <= 6; depth++) {
          const mass = sharing(tree, row, depth)
          sum += mass * 2 ** depth
          if (mass < 10) break
        }
      }
      expect(scoreHalfSpaceRow(trees, row)).toBeCloseTo(1 - sum / (15 * 100 * 127), 12)
    }
  })

  test('a row far from the window scores higher, and a new window forgets the old', () => {
    const trees = emptyHalfSpaceTrees(options)
    const random = createRandom(2)
    const near = (centre: number) => [0, 1].map(() => centre + 0.1 * (nextOpenUnit(random) - 0.5))
    for (let i = 0; i < 100; i++) updateHalfSpaceTrees(trees, near(0.3))
    expect(scoreHalfSpaceRow(trees, [0.9, 0.9])).toBeGreaterThan(
      scoreHalfSpaceRow(trees, near(0.3)),
    )
    for (let i = 0; i < 100; i++) updateHalfSpaceTrees(trees, near(0.9))
    expect(scoreHalfSpaceRow(trees, near(0.3))).toBeGreaterThan(scoreHalfSpaceRow(trees, near(0.9)))
  })

  test('the same seed gives the same trees; bad input is refused', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(emptyHalfSpaceTrees(options)).toEqual(emptyHalfSpaceTrees(options))
    expect(emptyHalfSpaceTrees({ ...options, seed: 1 })).not.toEqual(emptyHalfSpaceTrees(options))
    expect(() => emptyHalfSpaceTrees({ ranges: {} })).toThrow(code('INVALID_OPTION'))
    expect(() => emptyHalfSpaceTrees({ ranges: { a: [1, 1] } })).toThrow(code('INVALID_OPTION'))
    const trees = emptyHalfSpaceTrees(options)
    expect(() => updateHalfSpaceTrees(trees, [1])).toThrow(code('SHAPE_MISMATCH'))
    expect(() => scoreHalfSpaceRow(trees, [1, Number.NaN])).toThrow(code('NOT_FINITE'))
  })
})
