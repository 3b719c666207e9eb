import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { normalMatrix, numberedColumns } from '../../testing/generated-tables.ts'
import { type FeatureMatrix, featureMatrix, selectRows } from '../feature-matrix.ts'
import { decodeModel, encodeModel } from '../model-file/model-file.ts'
import { createRandom, nextIndex, nextNormal } from '../statistics/random.ts'
import { driftReference, mergeDriftReferences } from './drift-reference.ts'
import { driftReport } from './drift-report.ts'
import { parseDriftReference } from './drift-state.ts'
import { effectiveCount } from './effective-count.ts'
import { kolmogorovSmirnovColumns } from './kolmogorov-smirnov.ts'
import { maximumMeanDiscrepancy } from './mean-discrepancy.ts'

/** The table with column `c` moved by `shift`. */
function moved(matrix: FeatureMatrix, c: number, shift: number): FeatureMatrix {
  const columnCount = matrix.columnNames.length
  const values = matrix.values.map((value, i) => (i % columnCount === c ? value + shift : value))
  return featureMatrix(values, matrix.columnNames)
}

/** x_t = φ x_{t−1} + noise, started in its stationary distribution. */
function autoregression(rowCount: number, phi: number, seed: number): Float64Array {
  const random = createRandom(seed)
  const values = new Float64Array(rowCount)
  let value = nextNormal(random) / Math.sqrt(1 - phi * phi)
  for (let i = 0; i < rowCount; i++) {
    value = phi * value + nextNormal(random)
    values[i] = value
  }
  return values
}

describe('drift report', () => {
  const before = normalMatrix(5000, 8, 1)
  const reference = driftReference(before)

  test('rows of one population do not drift, however many', () => {
    const report = driftReport(reference, normalMatrix(40_000, 8, 2))
    expect(report).toMatchObject({ verdict: 'stable', driftedColumns: [], driftedShare: 0 })
    expect(report.reason).toBe('none of 8 columns drifted')
    expect(report.columns.every(({ reason }) => reason.includes('too small to matter'))).toBe(true)
  })

  test('a moved column is named with the figures that decided', () => {
    const report = driftReport(reference, moved(normalMatrix(5000, 8, 2), 3, 0.4))
    expect(report).toMatchObject({ verdict: 'drifted', driftedColumns: ['c3'] })
    expect(report.reason).toBe('1 of 8 columns drifted, first c3')
    const column = report.columns[3]
    expect(column).toMatchObject({ verdict: 'drifted', psiClass: 'watch' })
    expect(column?.reason).toMatch(/^gap 0\.\d+ > 0\.1 and adjusted p \S+ < 0\.05; median /)
    expect(column?.wasserstein).toBeCloseTo(0.4, 1)
    expect(column?.median.now).toBeCloseTo(0.4, 1)
  })

  test('a real but small shift has a small p-value and is no drift', () => {
    const wide = driftReference(normalMatrix(50_000, 2, 5))
    const report = driftReport(wide, moved(normalMatrix(50_000, 2, 6), 0, 0.1))
    expect(report.columns[0]?.adjustedPValue).toBeLessThan(1e-10)
    expect(report.verdict).toBe('stable')
    expect(
      driftReport(wide, moved(normalMatrix(50_000, 2, 6), 0, 0.1), { effectFloor: 0.02 }).verdict,
    ).toBe('systemic')
  })

  test('a large gap in few rows is left to chance', () => {
    const few = driftReference(normalMatrix(200, 30, 3))
    const report = driftReport(few, moved(normalMatrix(200, 30, 4), 0, 0.3))
    const isChance = report.columns.filter(({ reason }) => reason.includes('chance alone'))
    expect(isChance.length).toBeGreaterThan(0)
    expect(report.verdict).toBe('stable')
  })

  test('when a third of all columns moves the data is suspect', () => {
    let current = normalMatrix(3000, 8, 9)
    for (const c of [0, 2, 4]) current = moved(current, c, 2)
    const report = driftReport(reference, current)
    expect(report.verdict).toBe('systemic')
    expect(report.reason).toContain('suspect the data')
    expect(report.columns[0]?.psiClass).toBe('catastrophic')
  })

  test('missing cells are a finding of their own, not drift', () => {
    const current = normalMatrix(3000, 8, 9)
    const values = current.values.map((value, i) =>
      i % 8 === 1 && i % 3 === 0 ? Number.NaN : value,
    )
    const report = driftReport(reference, featureMatrix(values, current.columnNames))
    expect(report.columns[1]).toMatchObject({ verdict: 'stable', missingChanged: true })
    expect(report.columns[1]?.reason).toMatch(/missing cells 0 % → 33\.\d %$/)
    expect(report.columns[0]?.missingChanged).toBe(false)
  })

  test('a column without values is insufficient and blocks no other', () => {
    const current = normalMatrix(3000, 8, 9)
    const values = current.values.map((value, i) => (i % 8 === 1 ? Number.NaN : value))
    const report = driftReport(reference, moved(featureMatrix(values, current.columnNames), 2, 1))
    expect(report.columns[1]).toMatchObject({ verdict: 'insufficient', missingChanged: true })
    expect(report.driftedColumns).toEqual(['c2'])
    expect(report.reason).toContain('1 with too few values')
    const all = driftReport(reference, normalMatrix(50, 8, 1))
    expect(all.verdict).toBe('insufficient')
    expect(all.columns[0]?.reason).toBe('5000 and 50 independent values, 200 needed on both sides')
  })

  test('the gap read from sketches is within the error they state', () => {
    const big = normalMatrix(30_000, 4, 11)
    const current = moved(normalMatrix(20_000, 4, 12), 1, 0.4)
    const exact = kolmogorovSmirnovColumns(big, current)
    const report = driftReport(driftReference(big, { capacity: 128 }), current)
    for (const [c, { statistic, statisticError }] of report.columns.entries()) {
      const difference = Math.abs(statistic - (exact[c]?.statistic ?? 0))
      expect(statisticError).toBeGreaterThan(0)
      expect(difference).toBeLessThanOrEqual(statisticError + 1e-12)
    }
  })

  test('parts merged in any order judge as the whole does, within the stated error', () => {
    const whole = normalMatrix(9000, 3, 21)
    const current = moved(normalMatrix(4000, 3, 22), 0, 0.6)
    const exact = driftReport(driftReference(whole, { capacity: 65_536 }), current)
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed)
        const bounds = [0, 1 + nextIndex(random, 4000), 5000 + nextIndex(random, 3000), 9000]
        const parts = bounds.slice(1).map((end, i) => {
          const start = bounds[i] ?? 0
          const rows = Array.from({ length: end - start }, (_, row) => start + row)
          return driftReference(selectRows(whole, rows), { capacity: 256 })
        })
        const [a, b, c] = parts
        if (a === undefined || b === undefined || c === undefined) return
        for (const merged of [
          mergeDriftReferences(mergeDriftReferences(a, b), c),
          mergeDriftReferences(c, mergeDriftReferences(b, a)),
        ]) {
          expect(merged.rowCount).toBe(9000)
          const report = driftReport(merged, current)
          for (const [i, { statistic, statisticError, verdict }] of report.columns.entries()) {
            const other = exact.columns[i]
            expect(Math.abs(statistic - (other?.statistic ?? 0))).toBeLessThanOrEqual(
              statisticError + 1e-12,
            )
            expect(verdict).toBe(other?.verdict)
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  test('a reference survives a model file; a changed field is refused', () => {
    const decoded = parseDriftReference(decodeModel(encodeModel(reference)))
    expect(decoded).toEqual(reference)
    const [first] = reference.columns
    const broken = [
      { ...reference, rowCount: 4999 },
      { ...reference, columns: reference.columns.slice(1) },
      { ...reference, columns: reference.columns.map(() => first ?? null) },
      { ...reference, kind: 'other' },
    ]
    for (const state of broken) expect(() => parseDriftReference(state)).toThrow('model state')
  })

  test('other columns, infinite cells, no rows and bad options are refused', () => {
    const current = normalMatrix(300, 8, 2)
    const shuffled = featureMatrix(current.values, numberedColumns(8).reverse())
    expect(() => driftReport(reference, shuffled)).toThrow('column 0')
    expect(() => driftReport(reference, moved(current, 2, Number.POSITIVE_INFINITY))).toThrow('c2')
    expect(() => driftReport(reference, normalMatrix(0, 8, 1))).toThrow('at least 1 row')
    expect(() => driftReport(reference, current, { level: 2 })).toThrow('level')
    expect(() => mergeDriftReferences(reference, driftReference(shuffled))).toThrow(
      'columnNames[0]',
    )
  })
})

describe('autocorrelation', () => {
  test('independent values are worth their number, an autoregression (1 − φ)/(1 + φ) of it', () => {
    // Ranks are correlated slightly less than values: a tenth of tolerance holds both.
    for (const [phi, share] of [
      [0, 1],
      [0.5, 1 / 3],
      [0.9, 0.1 / 1.9],
    ] as const) {
      const worth = effectiveCount(autoregression(20_000, phi, 4)) / 20_000
      expect(worth / share).toBeGreaterThan(0.85)
      expect(worth / share).toBeLessThan(1.25)
    }
  })

  test('values of different groups are never paired', () => {
    const devices = Array.from({ length: 4000 }, (_, i) => (i < 2000 ? 0 : 10) + (i % 2))
    const values = Float64Array.from(devices)
    expect(effectiveCount(Float64Array.of(1, 2, Number.NaN, 3))).toBeGreaterThan(0)
    expect(effectiveCount(values, [0, 2000])).toBeLessThan(
      effectiveCount(normalMatrix(4000, 1, 1).values),
    )
    expect(effectiveCount(new Float64Array(9))).toBe(1)
    expect(effectiveCount(new Float64Array())).toBe(0)
    expect(() => effectiveCount(values, [0, 4001])).toThrow('groupStarts')
  })

  test('series of one process keep the nominal rate of false alarms, which rows alone do not', () => {
    let aware = 0
    let naive = 0
    const rows = { kind: 'series' } as const
    for (let seed = 0; seed < 100; seed++) {
      const [a, b] = [seed, seed + 500].map((s) =>
        featureMatrix(autoregression(4000, 0.95, s), ['x']),
      )
      if (a === undefined || b === undefined) continue
      const options = { effectFloor: 0, minCount: 1 }
      if (driftReport(driftReference(a), b, options).verdict !== 'stable') naive++
      const series = driftReport(driftReference(a, { rows }), b, { ...options, rows })
      if (series.verdict !== 'stable') aware++
    }
    expect(naive).toBeGreaterThan(50)
    // Binomial(100, 0.05): mean 5, three standard deviations 6.5.
    expect(aware).toBeLessThanOrEqual(11)
  })
})

describe('maximum mean discrepancy', () => {
  const options = { maxRowCount: 150, permutationCount: 99 }

  /** Unit normals whose correlation alone differs. */
  function correlated(rowCount: number, correlation: number, seed: number): FeatureMatrix {
    const { values } = normalMatrix(rowCount, 2, seed)
    for (let i = 0; i < values.length; i += 2) {
      values[i + 1] = correlation * values[i]! + Math.sqrt(1 - correlation ** 2) * values[i + 1]!
    }
    return featureMatrix(values, ['x', 'y'])
  }

  test('equals the plain double sum of its definition', () => {
    const [x, y] = [normalMatrix(30, 2, 1), normalMatrix(40, 2, 2)]
    const { statistic, width } = maximumMeanDiscrepancy(x, y, options)
    const scale = [0, 1].map((c) => {
      const column = x.values.filter((_, i) => i % 2 === c).sort()
      const at = (p: number) => {
        const position = p * 29
        const below = Math.floor(position)
        return column[below]! + (position - below) * ((column[below + 1] ?? 0) - column[below]!)
      }
      return at(0.75) - at(0.25)
    })
    const kernel = (a: FeatureMatrix, i: number, b: FeatureMatrix, j: number) => {
      const squares = [0, 1].map(
        (c) => ((a.values[2 * i + c]! - b.values[2 * j + c]!) / (scale[c] ?? 1)) ** 2,
      )
      return Math.exp(-((squares[0] ?? 0) + (squares[1] ?? 0)) / (2 * width ** 2))
    }
    let [xx, yy, xy] = [0, 0, 0]
    for (let i = 0; i < 30; i++) for (let j = 0; j < 30; j++) if (i !== j) xx += kernel(x, i, x, j)
    for (let i = 0; i < 40; i++) for (let j = 0; j < 40; j++) if (i !== j) yy += kernel(y, i, y, j)
    for (let i = 0; i < 30; i++) for (let j = 0; j < 40; j++) xy += kernel(x, i, y, j)
    expect(statistic).toBeCloseTo(xx / (30 * 29) + yy / (40 * 39) - (2 * xy) / (30 * 40), 12)
  })

  test('sees a changed relation that no single column shows', () => {
    const [a, b] = [correlated(400, 0, 1), correlated(400, 0.9, 2)]
    expect(driftReport(driftReference(a), b).verdict).toBe('stable')
    expect(maximumMeanDiscrepancy(a, b, options).pValue).toBeLessThanOrEqual(0.03)
    expect(maximumMeanDiscrepancy(a, correlated(400, 0, 3), options).pValue).toBeGreaterThan(0.05)
  })

  test('one population alarms at the nominal rate; the seed decides all', () => {
    let alarms = 0
    for (let seed = 0; seed < 60; seed++) {
      const [a, b] = [normalMatrix(60, 3, seed), normalMatrix(60, 3, seed + 900)]
      if (maximumMeanDiscrepancy(a, b, { permutationCount: 99, seed }).pValue <= 0.1) alarms++
    }
    // Binomial(60, 0.1): mean 6, three standard deviations 7.
    expect(alarms).toBeLessThanOrEqual(13)
    const [a, b] = [normalMatrix(500, 3, 1), normalMatrix(500, 3, 2)]
    expect(maximumMeanDiscrepancy(a, b, options)).toEqual(maximumMeanDiscrepancy(a, b, options))
  })

  test('blocks keep autocorrelated rows from alarming', () => {
    const count = (blockLength: number) => {
      let alarms = 0
      for (let seed = 0; seed < 20; seed++) {
        const [a, b] = [seed, seed + 300].map((s) =>
          featureMatrix(autoregression(300, 0.9, s), ['x']),
        )
        if (a === undefined || b === undefined) continue
        const { pValue } = maximumMeanDiscrepancy(a, b, {
          permutationCount: 49,
          blockLength,
        })
        if (pValue <= 0.05) alarms++
      }
      return alarms
    }
    expect(count(1)).toBeGreaterThan(8)
    expect(count(30)).toBeLessThanOrEqual(5)
  })

  test('a constant column, missing cells and too few rows', () => {
    const constant = featureMatrix(new Float64Array(40).fill(3), ['x'])
    expect(maximumMeanDiscrepancy(constant, constant, options)).toMatchObject({
      pValue: 1,
      width: 1,
    })
    const missing = featureMatrix(Float64Array.of(1, Number.NaN, 3), ['x'])
    expect(() => maximumMeanDiscrepancy(constant, missing)).toThrow('row 1')
    expect(() =>
      maximumMeanDiscrepancy(constant, featureMatrix(Float64Array.of(1), ['x'])),
    ).toThrow('at least 2')
    expect(() => maximumMeanDiscrepancy(constant, constant, { blockLength: 0 })).toThrow(
      'blockLength',
    )
  })
})
